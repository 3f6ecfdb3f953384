import { Buffer } from "../buffer.ts";
import { closeSync, type OpenMode, openSync, readSync, writeSync } from "./files.ts";
import { fsyncSync } from "./names.ts";
import type { PathArgument } from "./path-argument.ts";

const CHUNK = 64 * 1024;

interface ReadOptions {
  readonly encoding?: string | null | undefined;
  readonly flag?: OpenMode | undefined;
}

export interface WriteOptions extends ReadOptions {
  readonly mode?: number | undefined;
  /** Whether it is on the disk when the function returns. */
  readonly flush?: boolean | undefined;
}

/** To the end, however large a file says it is: those of /proc say nothing. */
export function readFileSync(path: PathArgument | number, options: ReadOptions | string | null = {}): Buffer | string {
  const { encoding, flag = "r" } = optionsOf(options);
  const content = withFile(path, flag, 0o666, readAll);
  return encoding === undefined || encoding === null ? content : content.toString(encoding);
}

function readAll(fd: number): Buffer {
  const parts: Buffer[] = [];
  for (;;) {
    const part = Buffer.allocUnsafe(CHUNK);
    const count = readSync(fd, part);
    if (count === 0) return Buffer.concat(parts);
    parts.push(part.subarray(0, count));
  }
}

export function writeFileSync(
  path: PathArgument | number,
  data: string | ArrayBufferView,
  options: WriteOptions | string | null = {},
): void {
  const { encoding, flag = "w", mode, flush = false } = optionsOf(options);
  const bytes = typeof data === "string" ? Buffer.from(data, encoding ?? "utf8") : data;
  withFile(path, flag, mode ?? 0o666, (fd) => {
    for (let at = 0; at < bytes.byteLength; ) at += writeSync(fd, bytes, at, bytes.byteLength - at);
    if (flush) fsyncSync(fd);
  });
}

export function appendFileSync(
  path: PathArgument | number,
  data: string | ArrayBufferView,
  options: WriteOptions | string | null = {},
): void {
  writeFileSync(path, data, { flag: "a", ...optionsOf(options) });
}

function optionsOf(options: WriteOptions | string | null): WriteOptions {
  return typeof options === "string" ? { encoding: options } : (options ?? {});
}

function withFile<T>(path: PathArgument | number, flags: OpenMode, mode: number, body: (fd: number) => T): T {
  if (typeof path === "number") return body(path);
  const fd = openSync(path, flags, mode);
  try {
    return body(fd);
  } finally {
    closeSync(fd);
  }
}
