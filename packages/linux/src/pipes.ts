import { closeSync, constants, openSync } from "node:fs";
import { call } from "./native.ts";

export interface PipeEnds {
  readonly read: number;
  readonly write: number;
}

/**
 * A real pipe, close-on-exec. Node's own `stdio: "pipe"` is a socket pair, which a program cannot re-open through
 * /dev/stdout.
 */
export function createPipe(): PipeEnds {
  const ends = Buffer.alloc(8);
  call("int pipe2(void *ends, int flags)", "", ends, 0o2000000);
  return { read: ends.readInt32LE(0), write: ends.readInt32LE(4) };
}

const F_SETPIPE_SZ = 1031;

/** @returns the size in bytes that the kernel gave, a power of two */
export function setPipeSize(fd: number, bytes: number): number {
  return call("int fcntl(int fd, int command, int argument)", "F_SETPIPE_SZ", fd, F_SETPIPE_SZ, bytes);
}

const FIONREAD = 0x541b;
const IOCTL = "int ioctl(int fd, unsigned long request, void *argument)";

/** How many unread bytes a pipe holds. */
export function unreadBytes(fd: number): number {
  const count = Buffer.alloc(4);
  call(IOCTL, "FIONREAD", fd, FIONREAD, count);
  return count.readInt32LE();
}

/** Closes what a descriptor refers to, and leaves /dev/null in its place, so that no other file gets its number. */
export function releaseDescriptor(fd: number): void {
  const nothing = openSync("/dev/null", constants.O_RDWR);
  try {
    call("int dup2(int from, int to)", String(fd), nothing, fd);
  } finally {
    closeSync(nothing);
  }
}

/** Flags to open `/proc/self/fd/N` of a pipe with, for a description of one's own that never blocks. */
export const NONBLOCKING_READ: number = constants.O_RDONLY | constants.O_NONBLOCK;
export const NONBLOCKING_WRITE: number = constants.O_WRONLY | constants.O_NONBLOCK;
