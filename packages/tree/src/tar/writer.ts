import { BLOCK } from "./header.ts";

/** An entry of a tar that is written. Paths are bytes, one a character ("latin1"). */
export interface WrittenEntry {
  /** Its type flag in ustar. */
  readonly type: string;
  /** A directory's ends in a slash. */
  readonly path: string;
  readonly link?: string | undefined;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds. */
  readonly mtime: number;
  readonly major?: number | undefined;
  readonly minor?: number | undefined;
}

export const TypeFlag = {
  file: "0",
  link: "1",
  symlink: "2",
  character: "3",
  block: "4",
  directory: "5",
  pipe: "6",
} as const;

const NAME_BYTES = 100;
const MAX_ID = 0o7777777;
const MAX_SIZE = 0o77777777777;

/** What stands before an entry's content: its header in POSIX's dialect, after a pax header for what does not fit into it. */
export function encodeHeader(entry: WrittenEntry): Buffer {
  const { path, link = "", uid, gid, size, mtime } = entry;
  const records = [
    ...(path.length > NAME_BYTES ? [record("path", path)] : []),
    ...(link.length > NAME_BYTES ? [record("linkpath", link)] : []),
    ...(uid > MAX_ID ? [record("uid", String(uid))] : []),
    ...(gid > MAX_ID ? [record("gid", String(gid))] : []),
    ...(size > MAX_SIZE ? [record("size", String(size))] : []),
    ...(mtime < 0 || mtime > MAX_SIZE ? [record("mtime", String(mtime))] : []),
  ];
  if (records.length === 0) return block(entry);
  const body = Buffer.from(records.join(""), "latin1");
  const about = { type: "x", path: "PaxHeaders/entry", mode: 0o644, uid: 0, gid: 0, size: body.length, mtime: 0 };
  return Buffer.concat([block(about), body, padding(body.length), block(entry)]);
}

/** The zeros between a content of so many bytes and the next header. */
export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** Two blocks of zeros. */
export function endOfTar(): Buffer {
  return Buffer.alloc(2 * BLOCK);
}

/** `LENGTH KEY=VALUE` and a line's end; the length counts itself. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length;
  while (length !== String(length).length + rest.length) length = String(length).length + rest.length;
  return `${String(length)}${rest}`;
}

function block({ type, path, link = "", mode, uid, gid, size, mtime, major = 0, minor = 0 }: WrittenEntry): Buffer {
  const header = Buffer.alloc(BLOCK);
  header.write(path.slice(0, NAME_BYTES), 0, "latin1");
  octal(header, 100, 8, mode);
  octal(header, 108, 8, uid > MAX_ID ? 0 : uid);
  octal(header, 116, 8, gid > MAX_ID ? 0 : gid);
  octal(header, 124, 12, size > MAX_SIZE ? 0 : size);
  octal(header, 136, 12, mtime < 0 || mtime > MAX_SIZE ? 0 : Math.floor(mtime));
  header.write("        ", 148, "latin1"); // The checksum counts itself as spaces.
  header.write(type, 156, "latin1");
  header.write(link.slice(0, NAME_BYTES), 157, "latin1");
  header.write("ustar\x0000", 257, "latin1");
  octal(header, 329, 8, major);
  octal(header, 337, 8, minor);
  header.write(`${sum(header).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

function octal(header: Buffer, at: number, length: number, value: number): void {
  header.write(value.toString(8).padStart(length - 1, "0"), at, "latin1");
}

function sum(header: Buffer): number {
  let total = 0;
  for (const byte of header) total += byte;
  return total;
}
