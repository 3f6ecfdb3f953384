import { chmodSync, chownSync, mkdirSync, rmdirSync, type Stats, statSync } from "node:fs";
import { basename } from "node:path";
import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import { SHARED_TREE_PATH } from "@kata-ts/agent-protocol/guest-contract";
import { MountFlag, mount, unmount } from "@kata-ts/linux";
import { log } from "../log.ts";
import { KeyedMutex } from "./keyed-mutex.ts";
import { PublishedCopy } from "./published-copy.ts";

const COPIES = "/run/kata-containers/published";
/** Room for the old content and the new one. */
const TMPFS = "size=20m,nr_inodes=4096,mode=755";
/** As Kata's agents from 2.0 on look. */
const LOOK_EVERY_MS = 2_000;

interface Volume {
  readonly path: string;
  readonly copy: PublishedCopy;
  readonly users: Set<string>;
  /** Why it could not be brought up to date at the last look. */
  trouble: string;
}

/**
 * Volumes of the host that the kubelet publishes: containers get a copy in the guest's memory, which follows the host's. The host's
 * kernel tells no guest of a change, so that a program which waits for one by inotify would wait for ever.
 *
 * What is not laid out so, can be written or is too large is shared as any other directory.
 */
export class PublishedVolumes {
  readonly #volumes: Map<string, Volume> = new Map();
  readonly #mutex: KeyedMutex = new KeyedMutex();
  #timer: NodeJS.Timeout | undefined;

  /** @returns the spec with the copies in the place of what they are of */
  async begin(containerId: string, spec: RuntimeSpec): Promise<RuntimeSpec> {
    const mounts: NonNullable<RuntimeSpec["mounts"]>[number][] = [];
    for (const each of spec.mounts ?? []) {
      const { source = "", options = [] } = each;
      const readonly = options.lastIndexOf("ro") > options.lastIndexOf("rw");
      const path =
        readonly && source.startsWith(`${SHARED_TREE_PATH}/`) ? await this.#use(source, containerId) : undefined;
      mounts.push(path === undefined ? each : { ...each, source: path });
    }
    return spec.mounts === undefined ? spec : { ...spec, mounts };
  }

  /** Takes back what no other container uses. Idempotent. */
  async end(containerId: string): Promise<void> {
    for (const source of [...this.#volumes.keys()]) {
      await this.#mutex.run(source, () => {
        const volume = this.#volumes.get(source);
        if (volume?.users.delete(containerId) === true && volume.users.size === 0) {
          this.#volumes.delete(source);
          unmountCopy(volume.path);
        }
        return Promise.resolve();
      });
    }
  }

  #use(source: string, containerId: string): Promise<string | undefined> {
    return this.#mutex.run(source, async () => {
      const volume = this.#volumes.get(source) ?? (await copyOf(source));
      if (volume === undefined) return undefined;
      volume.users.add(containerId);
      this.#volumes.set(source, volume);
      this.#lookLater();
      return volume.path;
    });
  }

  /** One look after the other: a host that does not answer is asked once. */
  #lookLater(): void {
    this.#timer ??= setTimeout(() => {
      void this.#look().finally(() => {
        this.#timer = undefined;
        if (this.#volumes.size > 0) this.#lookLater();
      });
    }, LOOK_EVERY_MS);
  }

  async #look(): Promise<void> {
    for (const [source, volume] of [...this.#volumes]) {
      await this.#mutex.run(source, () => (this.#volumes.has(source) ? refresh(source, volume) : Promise.resolve()));
    }
  }
}

/** What the kubelet is about to change is complete at the next look. What stays wrong is said once. */
async function refresh(source: string, volume: Volume): Promise<void> {
  const before = volume.trouble;
  volume.trouble = await volume.copy.refresh().then(() => "", String);
  if (volume.trouble !== "" && volume.trouble !== before) log(`the copy of ${source} is old: ${volume.trouble}`);
}

/** @returns undefined for what is no such volume */
async function copyOf(source: string): Promise<Volume | undefined> {
  if (statusOf(`${source}/..data`)?.isDirectory() !== true) return undefined;
  const { uid, gid, mode } = statSync(source);
  const path = `${COPIES}/${basename(source)}`;
  mkdirSync(path, { recursive: true });
  mount("tmpfs", path, "tmpfs", MountFlag.nosuid | MountFlag.nodev, TMPFS);
  try {
    const copy = new PublishedCopy(source, path);
    await copy.refresh();
    chownSync(path, uid, gid);
    chmodSync(path, mode & 0o7777);
    return { path, copy, users: new Set(), trouble: "" };
  } catch (error) {
    unmountCopy(path);
    log(`${source} is shared without a copy: ${String(error)}`);
    return undefined;
  }
}

function statusOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

function unmountCopy(path: string): void {
  unmount(path);
  rmdirSync(path);
}
