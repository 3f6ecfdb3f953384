import { chmodSync, chownSync, mkdirSync, realpathSync, rmdirSync } from "node:fs";
import type { grpc } from "@kata-ts/agent-protocol";
import { flushFileSystem, LinuxError, mount, unmount } from "@kata-ts/linux";
import { invalidArgument } from "../errors.ts";
import { mountDisk } from "./disk.ts";
import { DISKS } from "./find-disk.ts";
import { KeyedMutex } from "./keyed-mutex.ts";
import { parseMountOptions } from "./mount-options.ts";
import { mountShared } from "./shared-mount.ts";

type Handler = (storage: grpc.Storage.$Properties, mountPoint: string) => Promise<void>;

/** The storage drivers this agent has; GetGuestDetails lists them. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  "virtio-fs": mountShared,
  "9p": mountShared,
  ...Object.fromEntries(Object.keys(DISKS).map((kind) => [kind, mountDisk])),
  ephemeral: mountEphemeral,
  local: async (storage, mountPoint) => {
    makeLocal(storage, mountPoint);
  },
};

export const storageDrivers: readonly string[] = Object.keys(HANDLERS);

/** What is here belongs to the whole sandbox: a pod's volume outlives the containers that use it. */
const OF_SANDBOX = "/run/kata-containers/sandbox/";

interface Mounted {
  readonly mountPoint: string;
  /** Containers of a pod share volumes. */
  users: number;
  /** Writes wait here for a disk. To a file system that is shared with the host they go when a file is closed. */
  readonly buffered: boolean;
}

/** Storages that are mounted. */
export class Storages {
  readonly #mounted: Map<string, Mounted> = new Map();
  /** By mount point: containers that begin at once mount what they share one time. */
  readonly #mutex: KeyedMutex = new KeyedMutex();

  /** @returns the mount points, to be released later */
  async add(storages: readonly grpc.Storage.$Properties[]): Promise<string[]> {
    const added: string[] = [];
    try {
      for (const storage of storages) {
        // The original's runtime writes the shared tree's with a slash at its end.
        const mountPoint = (storage.mount_point ?? "").replace(/\/+$/, "");
        if (!mountPoint.startsWith("/run/kata-containers/"))
          throw invalidArgument(`Mount point ${mountPoint} is not ours`);
        await this.#mutex.run(mountPoint, () => this.#use(storage, mountPoint));
        added.push(mountPoint);
      }
    } catch (error) {
      await this.release(added);
      throw error;
    }
    return added;
  }

  /** All storages that are disks, whatever uses them. @throws as release() */
  releaseDisks(): Promise<void> {
    const disks = [...this.#mounted.values()].filter(({ buffered }) => buffered);
    return this.#removeAll(disks.map(({ mountPoint }) => mountPoint));
  }

  /** Ends those as well that containers have left to the sandbox. @throws as release() */
  releaseAll(): Promise<void> {
    return this.#removeAll([...this.#mounted.keys()]);
  }

  /** @throws Error when something could not be written to its disk; all are released then, too */
  release(mountPoints: readonly string[]): Promise<void> {
    return this.#inTurn(mountPoints, async (mounted) => {
      mounted.users -= 1;
      if (mounted.users <= 0 && !mounted.mountPoint.startsWith(OF_SANDBOX)) await this.#remove(mounted);
    });
  }

  #removeAll(mountPoints: readonly string[]): Promise<void> {
    return this.#inTurn(mountPoints, (mounted) => this.#remove(mounted));
  }

  /** Ends uses one by one, the last first, and all of them, whatever fails. @throws the first failure */
  async #inTurn(mountPoints: readonly string[], end: (mounted: Mounted) => Promise<void>): Promise<void> {
    const failures: unknown[] = [];
    for (const mountPoint of [...mountPoints].reverse()) {
      const ended = this.#mutex.run(mountPoint, async () => {
        const mounted = this.#mounted.get(mountPoint);
        if (mounted !== undefined) await end(mounted);
      });
      await ended.catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  async #remove({ mountPoint, buffered }: Mounted): Promise<void> {
    this.#mounted.delete(mountPoint);
    try {
      // Unmounting would do it, too, and everyone else in this agent would have to wait for that.
      if (buffered) await flushFileSystem(mountPoint);
    } finally {
      removeMount(mountPoint);
    }
  }

  async #use(storage: grpc.Storage.$Properties, mountPoint: string): Promise<void> {
    const mounted = this.#mounted.get(mountPoint);
    const driver = storage.driver ?? "";
    // A directory in a volume is the containers': they may have removed it.
    if (mounted !== undefined && driver === "local") makeLocal(storage, mountPoint);
    if (mounted !== undefined) {
      mounted.users += 1;
      return;
    }
    const handler = Object.hasOwn(HANDLERS, driver) ? HANDLERS[driver] : undefined;
    if (handler === undefined) throw invalidArgument(`Unknown storage driver "${driver}"`);
    if (driver !== "local") mkdirSync(mountPoint, { recursive: true });
    await handler(storage, mountPoint);
    this.#mounted.set(mountPoint, { mountPoint, users: 1, buffered: Object.hasOwn(DISKS, driver) });
  }
}

function mountEphemeral(storage: grpc.Storage.$Properties, mountPoint: string): Promise<void> {
  const { flags, data } = parseMountOptions(storage.options ?? []);
  mount(storage.source ?? "tmpfs", mountPoint, storage.fstype ?? "tmpfs", flags, data);
  return Promise.resolve();
}

/** Makes a directory, where it is not there yet. */
function makeLocal(storage: grpc.Storage.$Properties, mountPoint: string): void {
  const made = mkdirSync(mountPoint, { recursive: true });
  // It may be in a volume, where a container can put a link in the place of a directory.
  if (realpathSync(mountPoint) !== mountPoint) throw invalidArgument(`${mountPoint} leads somewhere else by a link`);
  if (made === undefined) return;
  const option = (name: string): string | undefined =>
    (storage.options ?? []).find((text) => text.startsWith(`${name}=`))?.slice(name.length + 1);
  const [mode, uid, gid] = [option("mode"), option("uid"), option("gid")];
  if (uid !== undefined && gid !== undefined) chownSync(mountPoint, Number(uid), Number(gid));
  if (mode !== undefined) chmodSync(mountPoint, Number.parseInt(mode, 8));
}

function removeMount(mountPoint: string): void {
  try {
    unmount(mountPoint);
  } catch (error) {
    if (!(error instanceof LinuxError && error.errno === "EINVAL")) throw error; // EINVAL: a local directory.
  }
  try {
    rmdirSync(mountPoint);
  } catch {
    return; // Something is in it: it stays.
  }
}
