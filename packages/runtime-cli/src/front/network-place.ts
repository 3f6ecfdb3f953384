import { mkdirSync, readdirSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { type FileLock, lockFile } from "@kata-ts/linux";
import { NetnsError, removeNamespace } from "@kata-ts/netns";
import { readNatNote } from "./nat-note.ts";
import { NETWORK_NOTE, type PortMapping, portsOf, readNote } from "./network-note.ts";
import { collide, hostPortOf } from "./ports.ts";

const NAMESPACES = "/run/kata-ts/netns";
/** Containers come and go at the same time. */
const LOCK = "/run/kata-ts/cni.lock";
const LOCK_DEADLINE_MS = 30_000;

/** Where a container's network is noted, and how it is called. */
export interface NetworkPlace {
  readonly id: string;
  /** The directory that what has to be undone is noted in. */
  readonly bundle: string;
  readonly ports: readonly PortMapping[];
}

export function namespacePath(id: string): string {
  return join(NAMESPACES, id);
}

/** The container of `kata run` that a network namespace was made for; undefined where it is another program's. */
export function holderOf(namespace: string): string | undefined {
  return dirname(resolve(namespace)) === NAMESPACES ? basename(namespace) : undefined;
}

/** A path for a container's network namespace, to which nothing leads. The bundle's name is this call's alone: what was there is an earlier one's. */
export function namespaceFor(id: string): string {
  const path = namespacePath(id);
  removeNamespace(path);
  mkdirSync(NAMESPACES, { recursive: true, mode: 0o700 });
  return path;
}

export async function lockNetworks(): Promise<FileLock> {
  mkdirSync(dirname(LOCK), { recursive: true, mode: 0o711 }); // Gone with a reboot.
  return await lockFile(LOCK, { deadlineMs: LOCK_DEADLINE_MS });
}

/**
 * Notes a bundle's network, unless a port of it leads to another container: of two that want one at the same time, one sees the
 * other's note. Neither CNI plugins nor the kernel say whose it is, and plugins are silent about the second.
 *
 * @returns the ports, of which those that may be one of some have those left that lead to no other container
 * @throws NetnsError KATA_NETWORK
 */
export async function claimPorts(
  bundle: string,
  ports: readonly PortMapping[],
  note: () => void,
): Promise<readonly PortMapping[]> {
  using _lock = await lockNetworks();
  const taken = takenPorts(bundle);
  const left = ports.map((port) => withoutTaken(port, taken));
  note();
  return left;
}

interface TakenPort {
  readonly name: string;
  readonly port: PortMapping;
}

/** Those of all other containers. */
function takenPorts(bundle: string): TakenPort[] {
  const bundles = dirname(bundle);
  const names = readdirSync(bundles).filter((each) => each !== basename(bundle));
  return names.flatMap((name) => portsIn(join(bundles, name)).map((port) => ({ name, port })));
}

/** @throws NetnsError KATA_NETWORK where nothing is left */
function withoutTaken(port: PortMapping, taken: readonly TakenPort[]): PortMapping {
  const holders: Set<string> = new Set();
  const isFree = (hostPort: number): boolean => {
    const found = taken.find((other) => collide({ ...port, hostPort }, other.port));
    if (found !== undefined) holders.add(found.name);
    return found === undefined;
  };
  const { hostPort, hostPorts } = port;
  const free = (hostPorts ?? [hostPort]).filter(isFree);
  if (free.length > 0) return hostPorts === undefined ? port : { ...port, hostPorts: free };
  const names = [...holders].join(" ");
  throw new NetnsError("KATA_NETWORK", `the host port ${hostPortOf(port)} leads to ${names} already`, {
    hint: `choose another one, or kata stop ${names}`,
  });
}

/** The ports of the host that lead to a bundle's container now. */
export function portsIn(bundle: string): readonly PortMapping[] {
  const { plugins = [] } = readNote(join(bundle, NETWORK_NOTE)) ?? {};
  return [...plugins.flatMap(portsOf), ...(readNatNote(bundle)?.livePorts ?? [])];
}
