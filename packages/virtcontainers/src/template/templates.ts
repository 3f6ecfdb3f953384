import { lstat, mkdir, readdir, readFile, rename, rm, rmdir, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { lockFile, tryLockFile } from "@kata-ts/linux";
import { parseShape } from "@kata-ts/linux/shape";
import type { MachineIdentity } from "../ports/vmm.ts";
import { makeOwnDirectory } from "../vm/vm-directory.ts";
import { machineIdentity } from "./machine-identity.ts";
import type { SavedGuest } from "./saved-guest.ts";
import { templateKey } from "./template-key.ts";

/** With more than this, the least recently used goes. */
const MAX_TEMPLATES = 4;
const MACHINE = "machine.json";

/**
 * A directory of templates. Each has a directory named by its key, which appears whole, by a rename; its maker
 * holds a lock of the same name.
 */
export class Templates {
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  /** The template of such a machine, if it was made. */
  async find(machine: MachineIdentity): Promise<SavedGuest | undefined> {
    const template = filesOf(join(this.directory, await templateKey(machine)));
    return (await exists(template.path)) ? template : undefined;
  }

  /** So that it is not the first to go. */
  async noteUse({ path }: SavedGuest): Promise<void> {
    const now = new Date();
    await utimes(path, now, now).catch(() => undefined);
  }

  /**
   * Makes a template, unless it exists. Of several calls at the same time one makes it, and the others get it.
   *
   * @param make fills an empty directory with the files of a SavedGuest
   * @throws LinuxError ETIMEDOUT when another call makes it past the deadline; whatever `make` throws: nothing is left
   */
  async obtain(
    machine: MachineIdentity,
    deadlineMs: number,
    make: (template: SavedGuest) => Promise<void>,
  ): Promise<SavedGuest> {
    await makeOwnDirectory(this.directory);
    const key = await templateKey(machine);
    using _lock = await lockFile(this.#lockPath(key), { deadlineMs });
    const finished = filesOf(join(this.directory, key));
    if (await exists(finished.path)) return finished;
    const unfinished = filesOf(join(this.directory, `.${key}`));
    await rm(unfinished.path, { recursive: true, force: true });
    await mkdir(unfinished.path, { mode: 0o700 });
    try {
      await make(unfinished);
      await writeFile(join(unfinished.path, MACHINE), JSON.stringify(machine), { mode: 0o600 });
      await rename(unfinished.path, finished.path);
    } finally {
      await rm(unfinished.path, { recursive: true, force: true });
    }
    await this.#removeOldest();
    return finished;
  }

  /** A call that copies one at this moment boots instead. */
  async removeAll(): Promise<void> {
    for (const name of await this.#names()) {
      if (/^\.?[0-9a-f]{32}(\.lock)?$/.test(name))
        await rm(join(this.directory, name), { recursive: true, force: true });
    }
    await rmdir(this.directory).catch(() => undefined); // What else is in it is not ours.
  }

  /**
   * Removes templates that no sandbox can use any more, or that were never finished.
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
      const json = await readFile(join(this.directory, name, MACHINE), "utf8");
      // The directory's name vouches for the machine: it is the machine's key.
      return (await templateKey(parseShape(machineIdentity, json, MACHINE))) === name;
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

/** A directory that another user has put there is not used. */
async function exists(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === process.getuid?.();
}
