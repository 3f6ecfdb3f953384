import type { ByteReader } from "./byte-reader.ts";
import { BLOCK, type Header, numberAt, positive } from "./header.ts";
import { type PaxHeader, paxNumber } from "./pax.ts";
import { TarError } from "./tar-error.ts";

/** A run of a sparse file that has data; what is between runs reads as zeros. */
export interface Run {
  readonly offset: number;
  readonly length: number;
}

export interface SparseFile {
  readonly runs: readonly Run[];
  /** What the file's size is. */
  readonly size: number;
  /** How many bytes of the entry's content the map has taken. */
  readonly mapBytes: number;
}

/** A file that has more runs is none that a layer needs. */
const MAX_RUNS = 100_000;
const MAX_MAP_BYTES = 4 * 2 ** 20;

/** GNU's own format: a map in the header, and in blocks behind it. */
export async function oldGnuSparse({ block, size }: Header, reader: ByteReader): Promise<SparseFile> {
  const realSize = positive(numberAt(block, 483, 12, "real size"), "real size");
  const numbers = numbersIn(block, 386, 4);
  for (let isExtended = block[482] === 1; isExtended; ) {
    const more = await reader.exactly(BLOCK);
    numbers.push(...numbersIn(more, 0, 21));
    isExtended = more[504] === 1;
    if (numbers.length > 2 * MAX_RUNS) throw malformed("it has too many runs");
  }
  return checked(numbers, realSize, size, 0);
}

/** The versions 0.0, 0.1 and 1.0 of GNU's pax records. Undefined for a file that is not sparse. */
export async function paxSparse(pax: PaxHeader, size: number, reader: ByteReader): Promise<SparseFile | undefined> {
  const isVersion1 = pax.records.get("GNU.sparse.major") === "1" && pax.records.get("GNU.sparse.minor") === "0";
  const version = pax.records.get("GNU.sparse.major");
  const realSize = paxNumber(pax, "GNU.sparse.realsize") ?? paxNumber(pax, "GNU.sparse.size");
  const map = pax.records.get("GNU.sparse.map");
  if (isVersion1) {
    if (realSize === undefined) throw malformed("it has no real size");
    const { numbers, mapBytes } = await mapInContent(reader, size);
    return checked(numbers, realSize, size - mapBytes, mapBytes);
  }
  if (version !== undefined && version !== "0") throw malformed(`its version is ${JSON.stringify(version)}`);
  if (realSize === undefined && map === undefined && pax.sparse.length === 0) return undefined;
  const numbers = map === undefined ? [...pax.sparse] : numbersOf(map.split(","));
  return checked(numbers, realSize ?? size, size, 0);
}

/** Lines of decimal numbers in front of the data, padded to whole blocks: how many runs, then each. */
async function mapInContent(reader: ByteReader, size: number): Promise<{ numbers: number[]; mapBytes: number }> {
  let text = "";
  for (;;) {
    if (text.length + BLOCK > Math.min(size, MAX_MAP_BYTES)) throw malformed("its map does not end");
    text += (await reader.exactly(BLOCK)).toString("latin1");
    const lines = text.split("\n");
    const [count] = lines.length > 1 ? numbersOf(lines.slice(0, 1)) : [];
    if (count === undefined) continue;
    if (count > MAX_RUNS) throw malformed("it has too many runs");
    if (lines.length > 2 * count + 1)
      return { numbers: numbersOf(lines.slice(1, 2 * count + 1)), mapBytes: text.length };
  }
}

function numbersIn(block: Buffer, start: number, count: number): number[] {
  const numbers: number[] = [];
  for (let at = start; at < start + count * 24 && block[at] !== 0; at += 24) {
    numbers.push(numberAt(block, at, 12, "offset"), numberAt(block, at + 12, 12, "length"));
  }
  return numbers;
}

function numbersOf(texts: readonly string[]): number[] {
  return texts.map((text) => {
    if (!/^\d{1,16}$/.test(text)) throw malformed("its map has what is no number");
    return Number(text);
  });
}

/** Runs in their order, inside the file, with all of the data there is. */
function checked(numbers: readonly number[], size: number, dataBytes: number, mapBytes: number): SparseFile {
  if (numbers.length % 2 !== 0 || numbers.length > 2 * MAX_RUNS) throw malformed("its map is cut");
  const runs: Run[] = [];
  let end = 0;
  let total = 0;
  for (let index = 0; index < numbers.length; index += 2) {
    const [offset = 0, length = 0] = numbers.slice(index, index + 2);
    if (offset < end || length < 0 || offset + length > size) throw malformed("its runs overlap, or lie outside");
    end = offset + length;
    total += length;
    runs.push({ offset, length });
  }
  if (total !== dataBytes) throw malformed("its map speaks of other data than there is");
  return { runs, size, mapBytes };
}

function malformed(reason: string): TarError {
  return new TarError(`a sparse file is malformed: ${reason}`);
}
