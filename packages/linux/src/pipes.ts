import { constants } from "node:fs";
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

/** Flags to open `/proc/self/fd/N` of a pipe with, for a description of one's own that never blocks. */
export const NONBLOCKING_READ: number = constants.O_RDONLY | constants.O_NONBLOCK;
export const NONBLOCKING_WRITE: number = constants.O_WRONLY | constants.O_NONBLOCK;
