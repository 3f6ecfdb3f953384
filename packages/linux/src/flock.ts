import { closeSync, constants, openSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { call, LinuxError } from "./native.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;

/** Held until disposed, or until this process ends. */
export interface FileLock extends Disposable {
  readonly path: string;
}

export interface LockOptions {
  /** Milliseconds. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Takes flock(2) without ever blocking Node's loop: tries, backs off, tries again.
 *
 * @throws LinuxError ETIMEDOUT when another holder keeps it past the deadline
 */
export async function lockFile(path: string, options: LockOptions): Promise<FileLock> {
  const fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600);
  const giveUpAt = Date.now() + options.deadlineMs;
  try {
    for (let wait = 1; !tryLock(fd, path); wait = Math.min(wait * 2, 50)) {
      if (Date.now() > giveUpAt) throw new LinuxError("flock", "ETIMEDOUT", path);
      await delay(wait, undefined, options.signal === undefined ? {} : { signal: options.signal });
    }
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return {
    path,
    [Symbol.dispose]: () => {
      closeSync(fd);
    },
  };
}

function tryLock(fd: number, path: string): boolean {
  try {
    call("int flock(int fd, int operation)", path, fd, LOCK_EX | LOCK_NB);
    return true;
  } catch (error) {
    if (error instanceof LinuxError && error.errno === "EAGAIN") return false;
    throw error;
  }
}
