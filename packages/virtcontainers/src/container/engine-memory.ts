import { realpathSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { coveringMount, type HostMount, mountTable } from "../host/mount-table.ts";

/** Memory of the host's that an engine made for the containers of a pod, and that the guest has its own in the place of. */
export interface EngineMemory {
  readonly kind: "shm" | "volume";
  /** Where the host has all of it mounted. */
  readonly point: string;
  /** What of it is meant: a directory in it, or "" for all. */
  readonly subdirectory: string;
}

/** What all engines call the file system that they make for POSIX shared memory. */
const SHM = "shm";
/** Where the kubelet keeps a pod's emptyDir volumes: by this alone they differ from Secrets, which are in memory, too. */
const EMPTY_DIRS = "kubernetes.io~empty-dir";

/**
 * Tells by the host's mount table what a bind mount's source is a part of: the path of the source says nothing, as the kubelet
 * mounts a `subPath` of a volume somewhere else.
 *
 * @returns undefined for what is no memory of an engine's, or not there
 */
export function engineMemory(source: string, mounts: readonly HostMount[] = mountTable()): EngineMemory | undefined {
  const path = resolved(source);
  const covering = path === undefined ? undefined : coveringMount(mounts, path);
  if (path === undefined || covering?.fsType !== "tmpfs") return undefined;
  const inFileSystem = join(covering.root, relative(covering.point, path));
  const wholes = mounts.filter(({ device, root }) => device === covering.device && root === "/");
  const subdirectory = relative("/", inFileSystem);
  const volume = wholes.find(({ point }) => basename(dirname(point)) === EMPTY_DIRS);
  if (volume !== undefined) return { kind: "volume", point: volume.point, subdirectory };
  const shm = wholes.find((mount) => mount.source === SHM);
  return shm === undefined || subdirectory !== "" ? undefined : { kind: "shm", point: shm.point, subdirectory };
}

/** A missing source is an error later, when it is shared. */
function resolved(source: string): string | undefined {
  try {
    return realpathSync(source);
  } catch {
    return undefined;
  }
}
