import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bootId, isAlive, type ProcessIdentity } from "@kata-ts/linux";
import { count, listOf, object, parseShape, positive, text } from "@kata-ts/linux/shape";
import { type PortMapping, portMapping } from "./network-note.ts";

/** The file in a bundle that says which network nat has to be taken back. */
export const NAT_NOTE = "nat.json";

interface NatNote {
  /** A path. */
  readonly namespace: string;
  /** The process without which there is no such network. */
  readonly keeper: ProcessIdentity;
  readonly ports: readonly PortMapping[];
}

/** Bundles outlive a reboot; pids, and times since boot, come again. */
interface DatedNote extends NatNote {
  readonly bootId: string;
}

const noteShape = object<DatedNote>({
  bootId: text,
  namespace: text,
  keeper: object<ProcessIdentity>({ pid: positive, startTime: count }),
  ports: listOf(portMapping),
});

/** Replaces it as a whole. */
export function writeNatNote(bundle: string, note: NatNote): void {
  const unfinished = join(bundle, `${NAT_NOTE}.tmp`);
  writeFileSync(unfinished, JSON.stringify({ ...note, bootId: bootId() } satisfies DatedNote), {
    mode: 0o600,
    flush: true,
  });
  renameSync(unfinished, join(bundle, NAT_NOTE));
}

export function hasNatNote(bundle: string): boolean {
  return existsSync(join(bundle, NAT_NOTE));
}

interface ReadNatNote {
  readonly namespace: string;
  /** Undefined where it has ended. */
  readonly keeper: ProcessIdentity | undefined;
  /** Those that its keeper, which lives, listens at. */
  readonly livePorts: readonly PortMapping[];
}

/** Undefined for a note that is missing or damaged. */
export function readNatNote(bundle: string): ReadNatNote | undefined {
  try {
    const note = parseShape(noteShape, readFileSync(join(bundle, NAT_NOTE), "utf8"), NAT_NOTE);
    const { namespace, keeper, ports } = note;
    const lives = note.bootId === bootId() && isAlive(keeper);
    return { namespace, keeper: lives ? keeper : undefined, livePorts: lives ? ports : [] };
  } catch {
    return undefined;
  }
}
