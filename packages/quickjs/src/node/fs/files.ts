import { read, readv, write, writev } from "kata:native";
import { Buffer } from "../buffer.ts";
import { ERRORS } from "../errno.ts";
import { nodeError, systemErrorWithoutStack } from "../errors.ts";
import { succeed, tryLibc } from "../libc.ts";
import { constants, O_CLOEXEC } from "./constants.ts";
import { type PathArgument, pathOf, pathText } from "./path-argument.ts";

const { O_RDONLY, O_WRONLY, O_RDWR, O_CREAT, O_EXCL, O_TRUNC, O_APPEND, O_SYNC } = constants;
const FLAGS: Readonly<Record<string, number>> = {
  r: O_RDONLY,
  rs: O_RDONLY | O_SYNC,
  "r+": O_RDWR,
  w: O_WRONLY | O_CREAT | O_TRUNC,
  wx: O_WRONLY | O_CREAT | O_TRUNC | O_EXCL,
  "w+": O_RDWR | O_CREAT | O_TRUNC,
  "wx+": O_RDWR | O_CREAT | O_TRUNC | O_EXCL,
  a: O_WRONLY | O_CREAT | O_APPEND,
  ax: O_WRONLY | O_CREAT | O_APPEND | O_EXCL,
  "a+": O_RDWR | O_CREAT | O_APPEND,
};
const [EINTR] = ERRORS.EINTR;

export type OpenMode = string | number;

function flagsOf(flags: OpenMode): number {
  if (typeof flags === "number") return flags;
  const found = FLAGS[flags];
  if (found !== undefined) return found;
  throw nodeError("ERR_INVALID_ARG_VALUE", `The argument 'flags' is invalid. Received '${flags}'`, TypeError);
}

export function openSync(path: PathArgument, flags: OpenMode = "r", mode = 0o666): number {
  const result = tryLibc("open", pathOf(path), flagsOf(flags) | O_CLOEXEC, mode);
  return succeed(result, "open", { path: pathText(path) });
}

export function closeSync(fd: number): void {
  // What Linux answers EINTR to is closed.
  const result = tryLibc("close", fd);
  if (result !== -EINTR) succeed(result, "close");
}

/** @throws what a system call says, without a stack where it is thrown in passing: EAGAIN */
function done(result: number, syscall: string): number {
  if (result === -ERRORS.EAGAIN[0]) throw systemErrorWithoutStack(-result, syscall);
  return succeed(result, syscall);
}

function again(body: () => number): number {
  for (;;) {
    const result = body();
    if (result !== -EINTR) return result;
  }
}

interface Place {
  readonly offset?: number | undefined;
  readonly length?: number | undefined;
  readonly position?: number | bigint | null | undefined;
}

export function readSync(
  fd: number,
  buffer: ArrayBufferView,
  offset: number | Place = 0,
  length?: number,
  position: number | bigint | null = null,
): number {
  if (typeof offset === "object") return readSync(fd, buffer, offset.offset, offset.length, offset.position);
  const bytes = bytesOf(buffer);
  const end = endOf(bytes, offset, length);
  return done(
    again(() => read(fd, bytes, offset, end, Number(position ?? -1))),
    "read",
  );
}

export function writeSync(
  fd: number,
  data: ArrayBufferView | string,
  offset: number | Place | null = 0,
  length?: number | string | null,
  position: number | null = null,
): number {
  if (typeof data === "string") {
    const bytes = Buffer.from(data, typeof length === "string" ? length : "utf8");
    return writeSync(fd, bytes, 0, bytes.length, typeof offset === "number" && offset > 0 ? offset : null);
  }
  if (typeof offset === "object" && offset !== null) {
    return writeSync(fd, data, offset.offset, offset.length, Number(offset.position ?? -1));
  }
  const bytes = bytesOf(data);
  const start = offset ?? 0;
  const end = endOf(bytes, start, typeof length === "number" ? length : undefined);
  return done(
    again(() => write(fd, bytes, start, end, position ?? -1)),
    "write",
  );
}

export function readvSync(fd: number, views: readonly ArrayBufferView[]): number {
  return done(
    again(() => readv(fd, views)),
    "read",
  );
}

export function writevSync(fd: number, views: readonly ArrayBufferView[]): number {
  return done(
    again(() => writev(fd, views)),
    "write",
  );
}

function bytesOf(view: ArrayBufferView): Uint8Array {
  return view instanceof Uint8Array ? view : new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function endOf(bytes: Uint8Array, start: number, length: number | undefined): number {
  const end = length === undefined ? bytes.length : start + length;
  if (start >= 0 && start <= end && end <= bytes.length) return end;
  throw nodeError("ERR_OUT_OF_RANGE", `The value of "length" is out of range. Received ${String(length)}`, RangeError);
}
