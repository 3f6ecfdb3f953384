import { lstat, mkdir, readdir, readFile, rename, rm, rmdir, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lockFile, tryLockFile } from "@kata-ts/linux";
import type { VmConfig } from "@kata-ts/qemu-driver";
import { makeOwnDirectory } from "../hypervisor/vm-directory.ts";
import { templateKey, withoutNames } from "./template-key.ts";

/** A saved guest, as files. */
export interface SavedGuest {
  readonly path: string;
  /** As large as the guest's memory, with holes. */
  readonly memory: string;
  /** Processors and devices, as QEMU writes them. */
  readonly state: string;
}

/** More than this are made for nobody: the one that was used longest ago goes. */
const MAX_TEMPLATES = 4;
const MACHINE = "machine.json";

/**
 * A directory of templates. Each has a directory named by its key, which comes into being whole by a rename; the one
 * who makes it holds a lock of the same name.
 */
export class Templates {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** The template of such a machine, if it was made. */
  async find(vm: VmConfig): Promise<SavedGuest | undefined> {
    const template = filesOf(join(this.directory, await templateKey(vm)));
    return (await exists(template.path)) ? template : undefined;
  }

  /** So that it is not the first to go. */
  async noteUse({ path }: SavedGuest): Promise<void> {
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined);
  }

  /**
   * Makes one, unless it is there. Of several who ask at the same time one makes it, and the others get it.
   *
   * @param make fills an empty directory with the files of a SavedGuest
   * @throws LinuxError ETIMEDOUT when somebody else makes it past the deadline; whatever `make` throws: nothing is left
   */
  async obtain(vm: VmConfig, deadlineMs: number, make: (template: SavedGuest) => Promise<void>): Promise<SavedGuest> {
    await makeOwnDirectory(this.directory);
    const key = await templateKey(vm);
    using _lock = await lockFile(this.#lockPath(key), { deadlineMs });
    const finished = filesOf(join(this.directory, key));
    if (await exists(finished.path)) return finished;
    const unfinished = filesOf(join(this.directory, `.${key}`));
    await rm(unfinished.path, { recursive: true, force: true });
    await mkdir(unfinished.path, { mode: 0o700 });
    try {
      await make(unfinished);
      await writeFile(join(unfinished.path, MACHINE), JSON.stringify(withoutNames(vm)), { mode: 0o600 });
      await rename(unfinished.path, finished.path);
    } finally {
      await rm(unfinished.path, { recursive: true, force: true });
    }
    await this.#removeOldest();
    return finished;
  }

  /** Whoever is copying one at this moment boots instead. */
  async removeAll(): Promise<void> {
    for (const name of await this.#names()) {
      if (/^\.?[0-9a-f]{32}(\.lock)?$/.test(name))
        await rm(join(this.directory, name), { recursive: true, force: true });
    }
    await rmdir(this.directory).catch(() => undefined); // What else is in it is not ours.
  }

  /**
   * Those that nobody can use any more, or that were never finished.
   *
   * @returns the paths that were, or would be, removed
   */
  async removeStale(dryRun: boolean): Promise<string[]> {
    const stale: string[] = [];
    for (const name of await this.#names()) {
      const path = join(this.directory, name);
      if (!/^\.?[0-9a-f]{32}$/.test(name) || (await this.#isCurrent(name))) continue;
      using lock = await tryLockFile(this.#lockPath(name.replace(/^\./, "")));
      if (lock === undefined) continue; // It is being made.
      if (!dryRun) await Promise.all([path, lock.path].map((each) => rm(each, { recursive: true, force: true })));
      stale.push(path);
    }
    return stale;
  }

  async #isCurrent(name: string): Promise<boolean> {
    try {
      const vm = JSON.parse(await readFile(join(this.directory, name, MACHINE), "utf8")) as VmConfig;
      return (await templateKey(vm)) === name;
    } catch {
      return false;
    }
  }

  async #removeOldest(): Promise<void> {
    const used = await Promise.all(
      (await this.#finished()).map(async (name) => {
        const path = join(this.directory, name);
        return { path, at: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 };
      }),
    );
    const surplus = used.sort((a, b) => b.at - a.at).slice(MAX_TEMPLATES);
    for (const { path } of surplus) await rm(path, { recursive: true, force: true });
  }

  async #finished(): Promise<string[]> {
    return (await this.#names()).filter((name) => !name.startsWith(".") && !name.endsWith(".lock"));
  }

  #names(): Promise<string[]> {
    return readdir(this.directory).catch(() => []);
  }

  #lockPath(key: string): string {
    return join(this.directory, `${key}.lock`);
  }
}

function filesOf(path: string): SavedGuest {
  return { path, memory: join(path, "memory"), state: join(path, "state") };
}

/** What another user has put there is none of ours. */
async function exists(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === process.getuid?.();
}
