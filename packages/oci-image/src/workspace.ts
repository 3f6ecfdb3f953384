import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type FileLock, lockFile, tryLockFile } from "@kata-ts/linux";

const PREFIX = "work-";
const LOCK = "lock";
const LOCK_DEADLINE_MS = 30_000;

/**
 * A directory in a cache for what is not finished. It goes with this object, and where this process is killed, with the
 * next one that uses the cache: a lock identifies the owner, whatever pid namespace it is in.
 */
export class Workspace implements AsyncDisposable {
  readonly path: string;
  readonly #lock: FileLock;

  private constructor(path: string, lock: FileLock) {
    this.path = path;
    this.#lock = lock;
  }

  static async open(cacheDir: string): Promise<Workspace> {
    await mkdir(cacheDir, { recursive: true });
    using _cache = await lockFile(join(cacheDir, LOCK), { deadlineMs: LOCK_DEADLINE_MS });
    await sweep(cacheDir);
    const path = await mkdtemp(join(cacheDir, PREFIX));
    return new Workspace(path, await lockFile(join(path, LOCK), { deadlineMs: LOCK_DEADLINE_MS }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
    this.#lock[Symbol.dispose]();
  }
}

/** Removes what the dead have left. Under the cache's lock no workspace is being made. */
async function sweep(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const path = join(cacheDir, name);
    if (!name.startsWith(PREFIX)) continue;
    using lock = await tryLockFile(join(path, LOCK)).catch(() => undefined);
    // Without its lock it is being removed at this moment, by its owner.
    if (lock !== undefined) await rm(path, { recursive: true, force: true });
  }
}
