import { randomBytes, randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import type { Connection, InterworkingModel, RateLimits } from "./connection.ts";
import type { Endpoint } from "./endpoint.ts";
import { NetnsError } from "./errors.ts";
import { runBatch } from "./iproute.ts";
import { driverOf } from "./physical.ts";
import { saveAddresses } from "./saved-addresses.ts";
import { saveLink } from "./saved-link.ts";

export interface PlanOptions {
  readonly model: InterworkingModel;
  /** One for each of the machine's processors that is to handle frames. */
  readonly queues: number;
  readonly limits?: RateLimits;
  /** What the machine may call, as parseFilter takes it; absent: everything. */
  readonly egress?: readonly string[] | undefined;
  /** What it may call it from, where that is not what the interfaces have. */
  readonly addresses?: readonly string[] | undefined;
  /** Names of the namespace's interfaces: an interface that has a name of ours belongs to another program. */
  readonly taken: readonly string[];
}

/** Kata's: interfaces so named are a runtime's own. */
const OURS = "_kata";
const UNLIMITED: RateLimits = { receive: 0, transmit: 0 };
/** Kata's range for the indexes of macvtaps: their nodes lie in one directory for all namespaces. */
const FIRST_INDEX = 8192;
const INDEXES = 65_536;
const INDEX_TRIES = 128;

/**
 * Decides how each interface is joined to a machine, and changes nothing yet.
 *
 * @throws NetnsError KATA_NETWORK where another program's traffic control is in the way
 */
export async function planConnections(
  namespace: string,
  endpoints: readonly Endpoint[],
  options: PlanOptions,
): Promise<Connection[]> {
  const connections: Connection[] = [];
  for (const endpoint of endpoints) connections.push(await planConnection(namespace, endpoint, options));
  refuseTakenNames(connections, options.taken);
  await refuseForeignQdiscs(namespace, connections);
  return connections;
}

async function planConnection(namespace: string, endpoint: Endpoint, options: PlanOptions): Promise<Connection> {
  const { kind, name, index, mac, mtu, txQueueLength } = endpoint;
  const { queues, limits = UNLIMITED, egress } = options;
  const common = { endpoint: kind, link: name, index, mac, mtu, txQueueLength, queues };
  const tap = `tap${String(index)}${OURS}`;
  if (egress !== undefined) {
    requireFilter(endpoint);
    const { addresses = endpoint.addresses.map(({ address }) => address) } = options;
    const rules = { egress, addresses };
    return { ...common, model: "tcfilter", tap, limits, rules };
  }
  if (kind === "physical") {
    const pciAddress = endpoint.pciAddress ?? "";
    return {
      ...common,
      model: "vfio",
      pciAddress,
      driver: driverOf(pciAddress),
      saved: await saveLink(namespace, endpoint),
    };
  }
  if (kind === "tap" || kind === "macvtap") {
    const multiQueue = endpoint.multiQueue ?? false;
    return { ...common, model: "direct", multiQueue, queues: kind === "tap" && !multiQueue ? 1 : queues };
  }
  // All ipvlans of a parent have its MAC address: a macvtap on one would take every other's frames.
  if (options.model === "tcfilter" || kind === "ipvlan") return { ...common, model: "tcfilter", tap, limits };
  return {
    ...common,
    model: "macvtap",
    tap,
    tapIndex: freeIndex(),
    limits,
    ifb: `ifb${String(index)}${OURS}`,
    otherMac: randomMac(),
    saved: await saveAddresses(namespace, endpoint),
  };
}

/** @throws NetnsError KATA_NETWORK_UNSUPPORTED for what QEMU opens, or the guest has, as it is: no rule of the host's is in between */
function requireFilter({ kind, name }: Endpoint): void {
  if (kind === "veth" || kind === "macvlan" || kind === "ipvlan") return;
  throw new NetnsError(
    "KATA_NETWORK_UNSUPPORTED",
    `what is called through interface ${name} (${kind}) cannot be limited`,
    {
      hint: "an egress list is kept for veth, macvlan and ipvlan interfaces",
    },
  );
}

function freeIndex(): number {
  for (let attempt = 0; attempt < INDEX_TRIES; attempt++) {
    const index = FIRST_INDEX + randomInt(INDEXES);
    if (!existsSync(`/dev/tap${String(index)}`)) return index;
  }
  throw new NetnsError("KATA_NETWORK", `no index is free for a macvtap, after ${String(INDEX_TRIES)} tries`);
}

/** Locally administered, unicast. */
function randomMac(): string {
  const bytes = randomBytes(6);
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

function refuseTakenNames(connections: readonly Connection[], taken: readonly string[]): void {
  for (const connection of connections) {
    if (connection.model !== "tcfilter" && connection.model !== "macvtap") continue;
    const names = connection.model === "macvtap" ? [connection.tap, connection.ifb] : [connection.tap];
    const clash = names.find((name) => taken.includes(name));
    if (clash === undefined) continue;
    throw new NetnsError(
      "KATA_NETWORK",
      `interface ${connection.link} cannot be connected: there is a ${clash} already`,
      {
        hint: "another VM has this network: containers that are to share one belong into a pod. Names that end in _kata are this runtime's",
      },
    );
  }
}

interface Qdisc {
  readonly kind: string;
  readonly dev: string;
  readonly root?: boolean;
  readonly parent?: string;
}

/** What was set on an interface before us is not replaced: it could not be restored. */
async function refuseForeignQdiscs(namespace: string, connections: readonly Connection[]): Promise<void> {
  const wanted = connections.filter(
    (connection) =>
      connection.model === "tcfilter" || (connection.model === "macvtap" && connection.limits.receive > 0),
  );
  if (wanted.length === 0) return;
  // eslint-disable-next-line no-restricted-syntax -- tc's answer
  const qdiscs = JSON.parse(await runBatch("tc", namespace, ["qdisc show"], { flags: ["-j"] })) as Qdisc[];
  for (const connection of wanted) {
    const there = qdiscs.filter(({ dev }) => dev === connection.link);
    const ingress = there.find(({ kind }) => kind === "ingress" || kind === "clsact");
    const limited = connection.model === "tcfilter" && connection.limits.transmit > 0;
    const root = limited
      ? there.find(({ root: isRoot, kind }) => isRoot === true && !DEFAULT_QDISCS.has(kind))
      : undefined;
    const found = ingress ?? root;
    if (found === undefined) continue;
    throw new NetnsError("KATA_NETWORK", `interface ${connection.link} has a qdisc ${found.kind} of another program`, {
      hint: "use the model macvtap, or set up traffic control on the other end of the pair",
    });
  }
}

/** What the kernel itself puts on an interface. */
const DEFAULT_QDISCS: ReadonlySet<string> = new Set(["noqueue", "pfifo_fast", "fq_codel", "mq", "fq"]);
