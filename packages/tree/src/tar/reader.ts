import { ByteReader } from "./byte-reader.ts";
import { BLOCK, checkedId, type Header, parseHeader } from "./header.ts";
import { type Attributes, NO_PAX, type PaxHeader, parsePax, paxId, paxNumber, paxTime } from "./pax.ts";
import { oldGnuSparse, paxSparse, type Run } from "./sparse.ts";
import { TarError } from "./tar-error.ts";

type EntryType = "file" | "directory" | "symlink" | "link" | "character" | "block" | "pipe";

/** Paths are bytes, one a character ("latin1"): what differs there differs on disk. */
export interface TarEntry {
  readonly type: EntryType;
  readonly path: string;
  /** Of links. */
  readonly link: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds. */
  readonly mtime: number;
  readonly major: number;
  readonly minor: number;
  /** What a file's size is, with holes. */
  readonly size: number;
  readonly attributes: Attributes;
  /** Where the pieces of the content belong; without it they are the file. */
  readonly runs: readonly Run[] | undefined;
  /** To be read before the next entry is asked for, or not at all. */
  readonly content: AsyncIterable<Buffer>;
}

/** As Go's archive/tar has it: what claims to be a larger header of that kind is none. */
const MAX_HEADER_BYTES = 2 ** 20;

const TYPES: Readonly<Record<string, EntryType>> = {
  ...{ "0": "file", "\0": "file", "7": "file", S: "file" },
  ...{ "1": "link", "2": "symlink", "3": "character", "4": "block", "5": "directory", D: "directory", "6": "pipe" },
};

/**
 * The entries of a tar, in ustar, GNU's or POSIX's dialect, with sparse files. As Go's archive/tar and all that is built
 * on it: only files have content, whatever size the others claim; records of a global header are not applied. Reads to
 * the end of the stream. @param warn told what of it is not used. @throws TarError
 */
export async function* readTar(
  chunks: AsyncIterable<Buffer>,
  warn: (message: string) => void = () => undefined,
): AsyncGenerator<TarEntry, void, undefined> {
  const reader = new ByteReader(chunks);
  let next = new Announced();
  for (;;) {
    const header = await nextHeader(reader);
    if (header === undefined) break;
    if (isAbout(header.type)) {
      await readAbout(header, reader, next, warn);
      continue;
    }
    const announced = next;
    next = new Announced();
    if (header.type === "V") {
      warn("the archive's label is left out");
      await reader.skip(padded(header.size));
      continue;
    }
    const type = TYPES[header.type];
    if (type === undefined) {
      throw new TarError(`an entry is of the unknown type ${JSON.stringify(header.type)}`);
    }
    yield* oneEntry(header, type, announced, reader);
  }
  await reader.drain();
}

/** What headers before an entry say of it. */
class Announced {
  pax: PaxHeader = NO_PAX;
  path: string | undefined;
  link: string | undefined;
}

/** Undefined at the end: two blocks of zeros, or the end of the stream between two entries. */
async function nextHeader(reader: ByteReader): Promise<Header | undefined> {
  const block = await reader.upTo(BLOCK);
  if (block.length === 0) return undefined;
  if (block.length < BLOCK) throw new TarError("it is no tar: it ends in a header");
  const header = parseHeader(block);
  if (header !== undefined) return header;
  const second = await reader.upTo(BLOCK);
  if (second.some((byte) => byte !== 0)) throw new TarError("a header is zeros");
  return undefined;
}

/** Whether a header says something of the entry behind it. */
function isAbout(type: string): boolean {
  return type === "x" || type === "X" || type === "g" || type === "L" || type === "K";
}

async function readAbout(
  { type, size }: Header,
  reader: ByteReader,
  next: Announced,
  warn: (message: string) => void,
): Promise<void> {
  if (size > MAX_HEADER_BYTES) {
    throw new TarError(`a header of the type ${type} has ${String(size)} bytes, more than 1 MiB`);
  }
  const content = (await reader.exactly(padded(size))).subarray(0, size);
  if (type === "g") {
    const keys = [...parsePax(content).records.keys()].filter((key) => key !== "comment");
    if (keys.length > 0) warn(`a global header is not applied: ${keys.join(", ")}`);
    return;
  }
  if (type === "L") next.path = untilNul(content);
  else if (type === "K") next.link = untilNul(content);
  else next.pax = parsePax(content, next.pax);
}

async function* oneEntry(
  header: Header,
  type: EntryType,
  { pax, path, link }: Announced,
  reader: ByteReader,
): AsyncGenerator<TarEntry, void, undefined> {
  const { records } = pax;
  const name = records.get("GNU.sparse.name") ?? records.get("path") ?? path ?? header.name;
  const isFile = type === "file" && !(name.endsWith("/") && header.type !== "S");
  const stored = isFile ? (paxNumber(pax, "size") ?? header.size) : 0;
  const sparse =
    header.type === "S"
      ? await oldGnuSparse({ ...header, size: stored }, reader)
      : isFile
        ? await paxSparse(pax, stored, reader)
        : undefined;
  let left = stored - (sparse?.mapBytes ?? 0);
  const content = async function* (): AsyncGenerator<Buffer, void, undefined> {
    for await (const piece of reader.stream(left)) {
      left -= piece.length;
      yield piece;
    }
  };
  yield {
    type: type === "file" && !isFile ? "directory" : type,
    path: name,
    link: records.get("linkpath") ?? link ?? header.link,
    mode: header.mode & 0o7777,
    uid: paxId(pax, "uid") ?? checkedId(header.uid, "uid"),
    gid: paxId(pax, "gid") ?? checkedId(header.gid, "gid"),
    mtime: paxTime(pax, "mtime") ?? header.mtime,
    major: header.major,
    minor: header.minor,
    size: sparse?.size ?? stored,
    attributes: pax.attributes,
    runs: sparse?.runs,
    content: content(),
  };
  await reader.skip(left);
  // Some writers, such as umoci's insert, end with the last file's content.
  await reader.upTo(padded(stored) - stored);
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

function untilNul(content: Buffer): string {
  const end = content.indexOf(0);
  return content.toString("latin1", 0, end === -1 ? content.length : end);
}
