import { chmod, mkdir, rmdir } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import type { grpc } from "@kata-ts/agent-protocol";
import { LinuxError, mount, unmount } from "@kata-ts/linux";
import { invalidArgument } from "../errors.ts";
import { mountDisk } from "./disk.ts";
import { parseMountOptions } from "./mount-options.ts";

/** How long a hot-plugged device may take to appear: Kata's default. */
const DEVICE_DEADLINE_MS = 3_000;

type Handler = (storage: grpc.Storage.$Properties, mountPoint: string) => Promise<void>;

/** The storage drivers this agent has; GetGuestDetails lists them. */
const HANDLERS: Readonly<Record<string, Handler>> = {
  "virtio-fs": mountShared,
  "9p": mountShared,
  blk: mountDisk,
  ephemeral: mountEphemeral,
  local: makeLocal,
};

export const storageDrivers: readonly string[] = Object.keys(HANDLERS);

/** What is here belongs to the whole sandbox: a pod's volume outlives the containers that use it. */
const OF_SANDBOX = "/run/kata-containers/sandbox/";

/** Storages that are mounted, with how many users each has: containers of a pod share volumes. */
export class Storages {
  readonly #users: Map<string, number> = new Map();

  /** @returns the mount points, to be released later */
  async add(storages: readonly grpc.Storage.$Properties[]): Promise<string[]> {
    const added: string[] = [];
    try {
      for (const storage of storages) {
        const mountPoint = storage.mount_point ?? "";
        if (!mountPoint.startsWith("/run/kata-containers/"))
          throw invalidArgument(`Mount point ${mountPoint} is not ours`);
        await this.#use(storage, mountPoint);
        added.push(mountPoint);
      }
    } catch (error) {
      await this.release(added);
      throw error;
    }
    return added;
  }

  /** Ends those as well that containers have left to the sandbox. */
  async releaseAll(): Promise<void> {
    for (const mountPoint of [...this.#users.keys()].reverse()) {
      this.#users.delete(mountPoint);
      await removeMount(mountPoint);
    }
  }

  async release(mountPoints: readonly string[]): Promise<void> {
    for (const mountPoint of [...mountPoints].reverse()) {
      const left = (this.#users.get(mountPoint) ?? 0) - 1;
      if (left > 0 || mountPoint.startsWith(OF_SANDBOX)) {
        this.#users.set(mountPoint, left);
      } else if (this.#users.delete(mountPoint)) {
        await removeMount(mountPoint);
      }
    }
  }

  async #use(storage: grpc.Storage.$Properties, mountPoint: string): Promise<void> {
    const users = this.#users.get(mountPoint) ?? 0;
    if (users === 0) {
      const driver = storage.driver ?? "";
      const handler = Object.hasOwn(HANDLERS, driver) ? HANDLERS[driver] : undefined;
      if (handler === undefined) throw invalidArgument(`Unknown storage driver "${driver}"`);
      await mkdir(mountPoint, { recursive: true });
      await handler(storage, mountPoint);
    }
    this.#users.set(mountPoint, users + 1);
  }
}

async function mountShared(storage: grpc.Storage.$Properties, mountPoint: string): Promise<void> {
  const { flags, data } = parseMountOptions(storage.options ?? []);
  const giveUpAt = performance.now() + DEVICE_DEADLINE_MS;
  for (;;) {
    try {
      mount(storage.source ?? "", mountPoint, storage.fstype ?? "", flags, data);
      return;
    } catch (error) {
      // Until the hot-plugged device is probed the kernel knows no such tag: virtio-fs says EINVAL, 9p ENOENT.
      const notYet = error instanceof LinuxError && ["EINVAL", "ENOENT", "ENODEV"].includes(error.errno);
      if (!notYet || performance.now() > giveUpAt) throw error;
    }
    await delay(5);
  }
}

function mountEphemeral(storage: grpc.Storage.$Properties, mountPoint: string): Promise<void> {
  const { flags, data } = parseMountOptions(storage.options ?? []);
  mount(storage.source ?? "tmpfs", mountPoint, storage.fstype ?? "tmpfs", flags, data);
  return Promise.resolve();
}

async function makeLocal(storage: grpc.Storage.$Properties, mountPoint: string): Promise<void> {
  const mode = (storage.options ?? []).find((option) => option.startsWith("mode="))?.slice("mode=".length);
  if (mode !== undefined) await chmod(mountPoint, Number.parseInt(mode, 8));
}

async function removeMount(mountPoint: string): Promise<void> {
  try {
    unmount(mountPoint);
  } catch (error) {
    if (!(error instanceof LinuxError && error.errno === "EINVAL")) throw error; // EINVAL: a local directory.
  }
  await rmdir(mountPoint).catch(() => undefined);
}
