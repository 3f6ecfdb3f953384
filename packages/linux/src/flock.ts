import { closeSync, constants, fstatSync, openSync, statSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { call, LinuxError } from "./native.ts";

const LOCK_SH = 1;
const LOCK_EX = 2;
const LOCK_NB = 4;

/** Held until disposed, or until this process ends. */
export interface FileLock extends Disposable {
  readonly path: string;
}

export interface LockOptions {
  /** Milliseconds. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Several processes may hold it so at the same time, and then no process exclusively. */
  readonly shared?: boolean;
}

/**
 * Takes flock(2) without ever blocking Node's loop: tries, backs off, tries again. The holder
 * may remove the file: processes that waited for it then take the file that has its name now.
 *
 * @throws LinuxError ETIMEDOUT when another holder keeps it past the deadline; Error ENOENT without its directory
 */
export async function lockFile(path: string, options: LockOptions): Promise<FileLock> {
  const giveUpAt = performance.now() + options.deadlineMs;
  for (;;) {
    const lock = await lockOnce(path, giveUpAt, options);
    if (lock !== undefined) return lock;
  }
}

/** As lockFile, without waiting: undefined while another process holds it. */
export async function tryLockFile(path: string): Promise<FileLock | undefined> {
  try {
    return await lockFile(path, { deadlineMs: 0 });
  } catch (error) {
    if (error instanceof LinuxError && error.errno === "ETIMEDOUT") return undefined;
    throw error;
  }
}

/** Undefined when the file was removed or replaced while we waited. */
async function lockOnce(path: string, giveUpAt: number, options: LockOptions): Promise<FileLock | undefined> {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  try {
    for (let wait = 1; !tryLock(fd, path, options.shared === true); wait = Math.min(wait * 2, 50)) {
      if (performance.now() > giveUpAt) throw new LinuxError("flock", "ETIMEDOUT", path);
      await delay(wait, undefined, options.signal === undefined ? {} : { signal: options.signal });
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  if (statSync(path, { throwIfNoEntry: false })?.ino !== fstatSync(fd).ino) {
    closeSync(fd);
    return undefined;
  }
  return {
    path,
    [Symbol.dispose]: () => {
      closeSync(fd);
    },
  };
}

function tryLock(fd: number, path: string, shared: boolean): boolean {
  try {
    call("int flock(int fd, int operation)", path, fd, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB);
    return true;
  } catch (error) {
    if (error instanceof LinuxError && error.errno === "EAGAIN") return false;
    throw error;
  }
}
