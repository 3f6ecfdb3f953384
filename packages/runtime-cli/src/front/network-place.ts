import { mkdirSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
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
 * @throws NetnsError KATA_NETWORK
 */
export async function claimPorts(bundle: string, ports: readonly PortMapping[], note: () => void): Promise<void> {
  using _lock = await lockNetworks();
  const bundles = dirname(bundle);
  for (const name of readdirSync(bundles).filter((each) => each !== basename(bundle))) {
    const taken = portsIn(join(bundles, name));
    const port = ports.find((each) => taken.some((other) => collide(each, other)));
    if (port === undefined) continue;
    throw new NetnsError("KATA_NETWORK", `the host port ${hostPortOf(port)} leads to ${name} already`, {
      hint: `choose another one, or kata stop ${name}`,
    });
  }
  note();
}

/** The ports of the host that lead to a bundle's container now. */
export function portsIn(bundle: string): readonly PortMapping[] {
  const { plugins = [] } = readNote(join(bundle, NETWORK_NOTE)) ?? {};
  return [...plugins.flatMap(portsOf), ...(readNatNote(bundle)?.livePorts ?? [])];
}
