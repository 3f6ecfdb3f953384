import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { type FileLock, lockFile, tryLockFile } from "@kata-ts/linux";
import { reasonOf } from "../errors.ts";
import { acceleratorFor, type QemuConfig } from "../hypervisor/qemu-config.ts";
import type { QemuVm } from "../hypervisor/qemu-vm.ts";
import { makeOwnDirectory } from "../hypervisor/vm-directory.ts";
import type { ConnectAgent } from "../ports/agent.ts";
import type { BootRequest } from "../ports/hypervisor.ts";
import { type CacheNote, cachedDirectories, isCurrent, isIn, isOf, isReady, isWaiting, noteOf } from "./note.ts";
import { discard, take } from "./take.ts";

export interface VmCacheOptions {
  readonly config: QemuConfig;
  /** Is there while the cache is to be kept full. */
  readonly directory: string;
  readonly connectAgent: ConnectAgent;
  /** Told why a cached VM could not be used. */
  readonly warn: (message: string) => void;
}

/** Of a fill that somebody else is at. */
const FILL_DEADLINE_MS = 120_000;

/** VMs that wait for a sandbox: each is taken once, and all are of the configuration that they were made with. */
export class VmCache {
  readonly #options: VmCacheOptions;

  constructor(options: VmCacheOptions) {
    this.#options = options;
  }

  /** One that fits, for the asker alone; undefined where none waits. It ends with this process unless it is committed. */
  async take(request: BootRequest): Promise<QemuVm | undefined> {
    const { config, directory: cache, connectAgent, warn } = this.#options;
    const accelerator = await acceleratorFor(config);
    const note = await noteOf(cache, config, accelerator);
    for (const directory of await this.#directories()) {
      if (!(await isOf(directory, note))) continue;
      try {
        const vm = await take(directory, request, { config, accelerator, connectAgent });
        if (vm !== undefined) return vm;
      } catch (error) {
        request.signal?.throwIfAborted();
        warn(`the cached VM in ${directory} could not be taken: ${reasonOf(error)}`);
      }
    }
    return undefined;
  }

  /** How many of this configuration wait. */
  async ready(): Promise<number> {
    return this.#ready(await this.#note());
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
   * Makes VMs until so many wait, where the cache was opened. Of several who are at it one works, one waits to look again
   * what is missing then, and the others need not.
   *
   * @throws whatever `make` throws
   */
  async fill(size: number, make: (note: CacheNote) => Promise<void>): Promise<void> {
    using working = await this.#turn();
    if (working === undefined) return;
    await this.removeStale(false);
    const note = await this.#note();
    while (existsSync(working.path) && (await this.#ready(note)) < size) await make(note);
  }

  /** Ends all that wait in it. VMs that were taken are not touched. */
  async close(): Promise<void> {
    const { config, directory } = this.#options;
    if (existsSync(directory)) {
      using _nobodyFills = await lockFile(join(directory, "fill.lock"), { deadlineMs: FILL_DEADLINE_MS });
      await rm(directory, { recursive: true, force: true });
    }
    for (const vm of await this.#directories()) if (await isIn(vm, directory)) await discard(vm, config);
  }

  /**
   * Ends those of all caches that nobody can be given any more.
   *
   * @returns the directories that were, or would be, removed
   */
  async removeStale(dryRun: boolean): Promise<string[]> {
    const stale: string[] = [];
    for (const directory of await this.#directories()) {
      if ((await isWaiting(directory)) && (await isCurrent(directory))) continue;
      if (dryRun || (await discard(directory, this.#options.config))) stale.push(directory);
    }
    return stale;
  }

  /** To fill it; undefined when somebody else waits for that already, or it is not open. */
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

  async #ready(note: CacheNote): Promise<number> {
    let ready = 0;
    for (const directory of await this.#directories())
      if ((await isOf(directory, note)) && (await isReady(directory))) ready += 1;
    return ready;
  }

  async #note(): Promise<CacheNote> {
    const { config, directory } = this.#options;
    return noteOf(directory, config, await acceleratorFor(config));
  }

  #directories(): Promise<string[]> {
    return cachedDirectories(this.#options.config.vmRoot);
  }
}
