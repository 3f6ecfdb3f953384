import { write } from "kata:native";
import { Buffer } from "../buffer.ts";
import { ERRORS } from "../errno.ts";
import { systemError } from "../errors.ts";
import { tryLibc } from "../libc.ts";

const [EAGAIN] = ERRORS.EAGAIN;
const [EINTR] = ERRORS.EINTR;
const POLLOUT = 4;

/** Writes all of it, and waits where a descriptor that does not block is full: standard output is as synchronous as Node's. */
export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    const result = write(fd, bytes, at, bytes.length, -1);
    if (result >= 0) at += result;
    else if (result === -EAGAIN) waitForRoom(fd);
    else if (result !== -EINTR) throw systemError(-result, "write");
  }
}

function waitForRoom(fd: number): void {
  const entry = Buffer.alloc(8);
  entry.writeInt32LE(fd, 0);
  entry.writeInt16LE(POLLOUT, 4);
  tryLibc("poll", entry, 1, -1);
}
