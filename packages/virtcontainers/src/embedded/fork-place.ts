import { lstat, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type FileLock, lockFile, tryLockFile } from "@kata-ts/linux";
import { reasonOf } from "../errors.ts";

const PREFIX = "kata-fork-";
/** Held as long as a directory is used. */
const LOCK = "fork.lock";
const LOCK_DEADLINE_MS = 30_000;
/** By then a new directory's lock is held. */
const NEW_MS = 60_000;
const OPEN_TO_OTHERS = 0o077;

/** A directory for the snapshot that copies of a sandbox are made of: it has all of the guest's memory, and goes with the call. */
export class ForkPlace implements AsyncDisposable {
  readonly path: string;
  readonly #lock: FileLock;

  private constructor(path: string, lock: FileLock) {
    this.path = path;
    this.#lock = lock;
  }

  /** Removes those, too, whose calls were killed. @param parent where it is made */
  static async make(parent: string): Promise<ForkPlace> {
    const path = await mkdtemp(join(parent, PREFIX));
    try {
      await removeAbandoned(parent, (await lstat(path)).mtimeMs);
      return new ForkPlace(path, await lockFile(join(path, LOCK), { deadlineMs: LOCK_DEADLINE_MS }));
    } catch (error) {
      await remove(path);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await remove(this.path);
    this.#lock[Symbol.dispose]();
  }
}

/** @param now by the clock of its file system */
async function removeAbandoned(parent: string, now: number): Promise<void> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    if (!name.startsWith(PREFIX) || !(await isOld(path, now))) continue;
    try {
      using lock = await tryLockFile(join(path, LOCK));
      if (lock !== undefined) await remove(path);
    } catch {
      // Another call is just removing it.
    }
  }
}

/** Other users may have made one of such a name: what is in it is theirs. */
async function isOld(path: string, now: number): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory() !== true || found.uid !== process.getuid?.()) return false;
  return (found.mode & OPEN_TO_OTHERS) === 0 && now - found.mtimeMs > NEW_MS;
}

async function remove(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    process.emitWarning(`the memory of a guest is still in ${path}: ${reasonOf(error)}`);
  }
}
