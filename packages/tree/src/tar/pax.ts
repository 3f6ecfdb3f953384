import { checkedId, positive } from "./header.ts";
import { TarError } from "./tar-error.ts";

/** Extended attributes by name, as they are in the archive: bytes, which need not be text. */
export type Attributes = ReadonlyMap<string, Buffer>;

/** What pax headers say of the entry behind them. Texts are bytes, one a character. */
export interface PaxHeader {
  readonly records: ReadonlyMap<string, string>;
  readonly attributes: Attributes;
  /** GNU.sparse.offset and GNU.sparse.numbytes, in their order: version 0.0 repeats them. */
  readonly sparse: readonly number[];
}

export const NO_PAX: PaxHeader = { records: new Map(), attributes: new Map(), sparse: [] };

const ATTRIBUTE = "SCHILY.xattr.";
const OFFSET = "GNU.sparse.offset";
const LENGTH = "GNU.sparse.numbytes";
/** The kernel would end them at NUL, and something else would be meant. */
const NAMES: ReadonlySet<string> = new Set(["path", "linkpath", "GNU.sparse.name"]);

/** @param before what an earlier header said of the same entry. @throws TarError */
export function parsePax(content: Buffer, before: PaxHeader = NO_PAX): PaxHeader {
  const records = new Map(before.records);
  const attributes = new Map(before.attributes);
  const sparse = [...before.sparse];
  for (const [key, value] of recordsIn(content)) {
    const isBad = key.includes("\0") || (NAMES.has(key) && value.includes(0));
    if (isBad) throw malformed(`the record ${JSON.stringify(key)} has NUL`);
    if (key === OFFSET || key === LENGTH) sparse.push(sparseNumber(key, value, sparse));
    else if (key.startsWith(ATTRIBUTE)) attributes.set(key.slice(ATTRIBUTE.length), value);
    else if (value.length === 0) records.delete(key);
    else records.set(key, value.toString("latin1"));
  }
  return { records, attributes, sparse };
}

/** A whole number from 0 that a record has; undefined without the record. */
export function paxNumber({ records }: PaxHeader, key: string): number | undefined {
  const text = records.get(key);
  if (text === undefined) return undefined;
  const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw malformed(`${key} is no number`);
  return positive(value, key);
}

export function paxId(header: PaxHeader, key: "uid" | "gid"): number | undefined {
  const value = paxNumber(header, key);
  return value === undefined ? undefined : checkedId(value, key);
}

/** Seconds, with a fraction. */
export function paxTime({ records }: PaxHeader, key: "mtime"): number | undefined {
  const text = records.get(key);
  if (text === undefined) return undefined;
  if (!/^-?\d{1,15}(?:\.\d*)?$/.test(text)) throw malformed(`${key} is no time`);
  return Number(text);
}

/** "LENGTH KEY=VALUE\n", one after the other. */
function* recordsIn(content: Buffer): Generator<readonly [key: string, value: Buffer], void, undefined> {
  for (let start = 0; start < content.length; ) {
    const space = content.indexOf(" ", start);
    const equals = content.indexOf("=", space);
    const digits = content.toString("latin1", start, space);
    const end = start + Number(digits);
    const isRecord = space > start && /^\d{1,10}$/.test(digits) && equals > space + 1 && end > equals;
    if (!isRecord || end > content.length || content[end - 1] !== 0x0a) throw malformed("its records are none");
    yield [content.toString("latin1", space + 1, equals), content.subarray(equals + 1, end - 1)];
    start = end;
  }
}

function sparseNumber(key: string, value: Buffer, before: readonly number[]): number {
  const text = value.toString("latin1");
  if (!/^\d{1,16}$/.test(text) || (before.length % 2 === 0) !== (key === OFFSET))
    throw malformed(`${key} is misplaced`);
  return Number(text);
}

function malformed(reason: string): TarError {
  return new TarError(`a pax header is malformed: ${reason}`);
}
