import {
  anything,
  count,
  type Fields,
  flag,
  listOf,
  matching,
  nullable,
  object,
  oneOf,
  optional,
  parseShape,
  quantity,
  type Shape,
  text,
  variants,
} from "@kata-ts/linux/shape";
import type {
  Connection,
  ConnectionRules,
  DirectConnection,
  MacvtapConnection,
  PhysicalConnection,
  RateLimits,
  SavedAddresses,
  SavedLink,
  TcFilterConnection,
} from "./connection.ts";
import { NetnsError } from "./errors.ts";
import type { NamespaceIdentity } from "./namespace.ts";

/** A connection, and what its maker wants to find again with it. */
export interface JournalEntry {
  readonly connection: Connection;
  readonly note?: unknown;
}

export interface Journal {
  readonly version: number;
  readonly namespace: NamespaceIdentity | null;
  readonly entries: readonly JournalEntry[];
  /** What the machine may call by all of its interfaces; absent: everything. */
  readonly egress?: readonly string[] | undefined;
  /** The machine is gone: nothing may be connected any more. */
  readonly closed: boolean;
}

export const EMPTY_JOURNAL: Journal = { version: 1, namespace: null, entries: [], closed: false };

/** A journal that was cut off or overwritten: no connection can be taken back by it. */
export class DamagedJournalError extends NetnsError {}

/** Words of `ip` commands are divided by blanks, and names become paths. */
const interfaceName = matching(
  "the name of an interface",
  (value): value is string => typeof value === "string" && /^[^\s/]{1,15}$/.test(value),
);

const COMMON: Fields<Omit<DirectConnection, "model" | "multiQueue">> = {
  endpoint: oneOf("veth", "macvlan", "macvtap", "ipvlan", "tap", "physical"),
  link: interfaceName,
  index: count,
  mac: text,
  mtu: count,
  txQueueLength: count,
  queues: count,
};
const limits = object<RateLimits>({ receive: quantity, transmit: quantity });
const RESTORED = { routes: listOf(text), neighbours: listOf(text) };
const savedAddresses = object<SavedAddresses>({ addresses: text, ...RESTORED });
const savedLink = object<SavedLink>({ isUp: flag, addresses: listOf(text), ...RESTORED });

const connection: Shape<Connection> = variants<"model", Connection>(
  "model",
  [
    "tcfilter",
    object<TcFilterConnection>({
      ...COMMON,
      model: oneOf("tcfilter"),
      tap: interfaceName,
      limits,
      rules: optional(object<ConnectionRules>({ egress: listOf(text), addresses: listOf(text) })),
    }),
  ],
  [
    "macvtap",
    object<MacvtapConnection>({
      ...COMMON,
      model: oneOf("macvtap"),
      tap: interfaceName,
      tapIndex: count,
      limits,
      ifb: interfaceName,
      otherMac: text,
      saved: savedAddresses,
    }),
  ],
  ["direct", object<DirectConnection>({ ...COMMON, model: oneOf("direct"), multiQueue: flag })],
  [
    "vfio",
    object<PhysicalConnection>({
      ...COMMON,
      model: oneOf("vfio"),
      pciAddress: text,
      driver: text,
      saved: optional(savedLink),
    }),
  ],
);

const journal = object<Journal>({
  version: oneOf(EMPTY_JOURNAL.version),
  namespace: nullable(object<NamespaceIdentity>({ dev: count, ino: count, cookie: optional(text) })),
  entries: listOf(object<JournalEntry>({ connection, note: anything<unknown>() })),
  egress: optional(listOf(text)),
  closed: flag,
});

/** @throws DamagedJournalError; NetnsError KATA_NETWORK for a journal of another version */
export function parseJournal(json: string, path: string): Journal {
  try {
    return parseShape(journal, json, path);
  } catch (error) {
    if (isOfOtherVersion(json)) throw new NetnsError("KATA_NETWORK", `${path} is of another version`, { cause: error });
    throw new DamagedJournalError("KATA_NETWORK", `${path} is damaged: ${(error as Error).message}`, {
      cause: error,
      hint: "the container can still be deleted; interfaces of its network namespace may stay changed",
    });
  }
}

function isOfOtherVersion(json: string): boolean {
  try {
    const { version } = parseShape(object<Pick<Journal, "version">>({ version: count }), json, "");
    return version !== EMPTY_JOURNAL.version;
  } catch {
    return false;
  }
}
