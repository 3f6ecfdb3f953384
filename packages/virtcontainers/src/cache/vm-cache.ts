import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type FileLock, lockFile, tryLockFile } from "@kata-ts/linux";
import { KataError, reasonOf } from "../errors.ts";
import type { ConnectAgent } from "../ports/agent.ts";
import type { BootRequest } from "../ports/hypervisor.ts";
import type { Vmm } from "../ports/vmm.ts";
import { makeOwnDirectory } from "../vm/vm-directory.ts";
import type { VmHandle } from "../vm/vm-handle.ts";
import {
  belongsTo,
  type CacheMetadata,
  cachedDirectories,
  isCurrent,
  isReady,
  isWaiting,
  matches,
  metadataFor,
} from "./metadata.ts";
import { failedAt, forgetFailure, type RefillFailure, readFailure, recordFailure } from "./refill-failure.ts";
import { discard, take } from "./take.ts";

export interface VmCacheOptions {
  readonly vmm: Vmm;
  /** Is there while the cache is to be kept full. */
  readonly directory: string;
  readonly connectAgent: ConnectAgent;
  /** Told why a cached VM could not be used. */
  readonly warn: (message: string) => void;
}

/** For a fill by another call. */
const FILL_DEADLINE_MS = 120_000;

/** VMs that wait for a sandbox: each is taken once, and all are of the configuration that they were made with. */
export class VmCache {
  readonly #options: VmCacheOptions;

  constructor(options: VmCacheOptions) {
    this.#options = options;
  }

  /** One that fits, for the asker alone; undefined where none waits. It ends with this process unless it is committed. */
  async take(request: BootRequest): Promise<VmHandle | undefined> {
    const { vmm, directory: cache, connectAgent, warn } = this.#options;
    const accelerator = await vmm.accelerator();
    const metadata = await metadataFor(cache, vmm, accelerator);
    for (const directory of await this.#directories()) {
      if (!(await matches(directory, metadata))) continue;
      try {
        const vm = await take(directory, request, { vmm, accelerator, connectAgent });
        if (vm !== undefined) return vm;
      } catch (error) {
        request.signal?.throwIfAborted();
        warn(`the cached VM in ${directory} could not be taken: ${reasonOf(error)}`);
      }
    }
    const failure = await this.lastFailure();
    if (failure !== undefined) warn(`no VM waits: the last refill of the VM cache, ${failedAt(failure)}`);
    return undefined;
  }

  /** How many of this configuration wait. */
  async ready(): Promise<number> {
    return this.#ready(await this.#metadata());
  }

  /** The directories of all that wait, in whatever cache. */
  async waiting(): Promise<string[]> {
    const waiting: string[] = [];
    for (const directory of await this.#directories()) if (await isWaiting(directory)) waiting.push(directory);
    return waiting;
  }

  /** From now on `fill` fills it. */
  async open(): Promise<void> {
    await makeOwnDirectory(this.#options.directory);
  }

  /**
   * Makes VMs until so many wait, where the cache was opened. Of several calls one works, one waits to look again
   * what is missing then, and the others return.
   *
   * @throws whatever `make` throws
   */
  async fill(size: number, make: (metadata: CacheMetadata) => Promise<void>): Promise<void> {
    using working = await this.#turn();
    if (working === undefined) return;
    const { directory } = this.#options;
    try {
      await this.removeStale(false);
      const metadata = await this.#metadata();
      while (existsSync(working.path) && (await this.#ready(metadata)) < size) await make(metadata);
    } catch (error) {
      if (!isInterruption(error)) await recordFailure(directory, error);
      throw error;
    }
    await forgetFailure(directory);
  }

  /** Why the last `fill`, by whatever process, has failed; undefined where it has not. */
  lastFailure(): Promise<RefillFailure | undefined> {
    return readFailure(this.#options.directory);
  }

  /** Ends all that wait in it. VMs that were taken are not touched. */
  async close(): Promise<void> {
    const { vmm, directory } = this.#options;
    if (existsSync(directory)) {
      using _nobodyFills = await lockFile(join(directory, "fill.lock"), { deadlineMs: FILL_DEADLINE_MS });
      await rm(directory, { recursive: true, force: true });
    }
    for (const each of await this.#directories()) if (await belongsTo(each, directory)) await discard(each, vmm);
  }

  /**
   * Ends the VMs of all caches that no sandbox can use any more.
   *
   * @returns the directories that were, or would be, removed
   */
  async removeStale(dryRun: boolean): Promise<string[]> {
    const stale: string[] = [];
    for (const directory of await this.#directories()) {
      if ((await isWaiting(directory)) && (await isCurrent(directory))) continue;
      if (dryRun || (await discard(directory, this.#options.vmm))) stale.push(directory);
    }
    return stale;
  }

  /** A turn to fill it; undefined when another call waits for its turn already, or the cache is not open. */
  async #turn(): Promise<FileLock | undefined> {
    const { directory } = this.#options;
    try {
      using next = await tryLockFile(join(directory, "next.lock"));
      return next && (await lockFile(join(directory, "fill.lock"), { deadlineMs: FILL_DEADLINE_MS }));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  async #ready(metadata: CacheMetadata): Promise<number> {
    let ready = 0;
    for (const directory of await this.#directories())
      if ((await matches(directory, metadata)) && (await isReady(directory))) ready += 1;
    return ready;
  }

  async #metadata(): Promise<CacheMetadata> {
    const { vmm, directory } = this.#options;
    return metadataFor(directory, vmm, await vmm.accelerator());
  }

  #directories(): Promise<string[]> {
    return cachedDirectories(this.#options.vmm.settings.vmRoot);
  }
}

/** The caller gave up: that is no reason to look for one. */
function isInterruption(error: unknown): boolean {
  return error instanceof KataError && error.code === "KATA_INTERRUPTED";
}
