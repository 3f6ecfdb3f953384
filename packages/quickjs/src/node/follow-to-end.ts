import { monotonicTime, read, write } from "kata:native";
import { Buffer } from "./buffer.ts";
import { ERRORS } from "./errno.ts";
import { closeSync } from "./fs/files.ts";
import { libc, tryLibc } from "./libc.ts";

const POLLIN = 1;
const POLLOUT = 4;
const CHUNK = 64 * 1024;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const [EAGAIN] = ERRORS.EAGAIN;

export interface Followed {
  /** Our end of its standard input, and what is to be written to it. */
  readonly input?: { readonly fd: number; readonly bytes: Uint8Array };
  /** Our ends of its outputs, where they are pipes. */
  readonly outputs: readonly (number | undefined)[];
  /** A descriptor that can be read once it has ended. */
  readonly ended: number;
  /** Milliseconds; 0 for no end. */
  readonly timeout: number;
  /** Bytes of each output. */
  readonly maxBuffer: number;
  /** Called once, when it has taken too long or written too much. */
  readonly stop: () => void;
}

interface Told {
  readonly parts: Buffer[];
  /** Why it was stopped. */
  readonly reason?: "ETIMEDOUT" | "ENOBUFS";
}

/** Until the program and both of its outputs have ended, by turns: it waits where one of them is full. All descriptors are closed. */
export function followToEnd({ input, outputs, ended, timeout, maxBuffer, stop }: Followed): Told {
  const parts: Buffer[][] = outputs.map(() => []);
  const sizes = outputs.map(() => 0);
  const end = timeout > 0 ? monotonicTime() + timeout : Number.POSITIVE_INFINITY;
  const open: Map<number, number> = new Map();
  let reason: Told["reason"];
  let written = 0;
  const close = (fd: number): void => {
    if (open.delete(fd)) closeSync(fd);
  };
  const stopFor = (why: Told["reason"]): void => {
    if (reason !== undefined) return;
    reason = why;
    stop();
    // What it has started may have them open, and go on.
    for (const fd of open.keys()) if (fd !== ended) close(fd);
  };
  for (const fd of outputs) if (fd !== undefined) open.set(fd, POLLIN);
  open.set(ended, POLLIN);
  if (input !== undefined) {
    libc("fcntl", input.fd, F_SETFL, O_NONBLOCK);
    open.set(input.fd, POLLOUT);
    if (input.bytes.length === 0) close(input.fd);
  }
  while (open.size > 0) {
    if (monotonicTime() >= end) stopFor("ETIMEDOUT");
    for (const fd of ready(open, reason === undefined ? end - monotonicTime() : Number.POSITIVE_INFINITY)) {
      if (!open.has(fd)) continue;
      if (fd === ended) {
        close(fd);
        // What it has not read is lost.
        if (input !== undefined) close(input.fd);
      } else if (fd === input?.fd) {
        const count = write(fd, input.bytes, written, input.bytes.length, -1);
        if (count > 0) written += count;
        if (written === input.bytes.length || (count < 0 && count !== -EAGAIN)) close(fd);
      } else {
        const index = outputs.indexOf(fd);
        const part = Buffer.allocUnsafe(CHUNK);
        const count = read(fd, part, 0, CHUNK, -1);
        const room = maxBuffer - (sizes[index] ?? 0);
        if (count > 0) parts[index]?.push(part.subarray(0, Math.min(count, room)));
        sizes[index] = (sizes[index] ?? 0) + Math.max(0, count);
        if (count <= 0) close(fd);
        else if (count > room) stopFor("ENOBUFS");
      }
    }
  }
  const whole = { parts: parts.map((each) => Buffer.concat(each)) };
  return reason === undefined ? whole : { ...whole, reason };
}

/** Those that can go on, or have ended. @param milliseconds how long it may wait for one */
function ready(open: ReadonlyMap<number, number>, milliseconds: number): number[] {
  const list = [...open];
  const entries = Buffer.alloc(8 * list.length);
  for (const [at, [fd, events]] of list.entries()) {
    entries.writeInt32LE(fd, 8 * at);
    entries.writeInt16LE(events, 8 * at + 4);
  }
  tryLibc("poll", entries, list.length, Number.isFinite(milliseconds) ? Math.max(0, Math.ceil(milliseconds)) : -1);
  return list.filter((_, at) => entries.readUInt16LE(8 * at + 6) !== 0).map(([fd]) => fd);
}
