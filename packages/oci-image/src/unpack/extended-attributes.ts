import { Transform, type TransformCallback } from "node:stream";
import { Header } from "tar";
import { ImageError } from "../errors.ts";

/** By name, as they are in the archive: bytes, which need not be text. */
export type Attributes = ReadonlyMap<string, Buffer>;

const BLOCK = 512;
/** As the parser has it: what claims to be a larger header of that kind is passed over. */
const MAX_HEADER_BYTES = 2 ** 20;
/** What may wait for its entry. The parser is at most one chunk behind, unless somebody leads it astray. */
const MAX_WAITING_BYTES = 8 * 2 ** 20;
const PLACE_BYTES = 64;
const NONE: Attributes = new Map();
const PREFIX = "SCHILY.xattr.";

/** What the parser tells as entries; it passes over all others. */
const ENTRIES: ReadonlySet<string> = new Set([
  ...["File", "OldFile", "ContiguousFile", "Link", "SymbolicLink"],
  ...["CharacterDevice", "BlockDevice", "Directory", "FIFO", "GNUDumpDir"],
]);

/** They say something of the entry behind them. */
const PAX: ReadonlySet<string> = new Set(["ExtendedHeader", "OldExtendedHeader"]);
const MODIFIERS: ReadonlySet<string> = new Set([
  ...[...PAX, "GlobalExtendedHeader"],
  ...["NextFileHasLongPath", "NextFileHasLongLinkpath", "OldGnuLongPath"],
]);

/**
 * Passes a tar on as it is, and keeps the extended attributes of its entries: the parser behind it takes all of a pax
 * header for text.
 */
export class ExtendedAttributes extends Transform {
  readonly #waiting: Attributes[] = [];
  #waitingBytes = 0;
  #header: Buffer = Buffer.alloc(0);
  /** Bytes of the content at hand that are still to come, and its padding. */
  #content = 0;
  #padding = 0;
  /** The pieces of a pax header, while one is being read. */
  #pieces: Buffer[] | undefined;
  #next: Attributes = NONE;
  #nextSize: number | undefined;

  /** Those of the next entry; to be asked once for each, in their order. */
  ofNextEntry(): Attributes {
    const attributes = this.#waiting.shift();
    if (attributes === undefined) return NONE;
    this.#waitingBytes -= sizeOf(attributes);
    return attributes;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      for (let rest = chunk; rest.length > 0; ) rest = this.#consume(rest);
      done(null, chunk);
    } catch (error) {
      done(error as Error);
    }
  }

  /** @returns what is not consumed yet */
  #consume(chunk: Buffer): Buffer {
    if (this.#content > 0) {
      const piece = chunk.subarray(0, this.#content);
      this.#pieces?.push(Buffer.from(piece));
      this.#content -= piece.length;
      if (this.#content === 0) this.#endContent();
      return chunk.subarray(piece.length);
    }
    if (this.#padding > 0) {
      const length = Math.min(this.#padding, chunk.length);
      this.#padding -= length;
      return chunk.subarray(length);
    }
    const piece = chunk.subarray(0, BLOCK - this.#header.length);
    this.#header = Buffer.concat([this.#header, piece]);
    if (this.#header.length === BLOCK) {
      this.#beginEntry(this.#header);
      this.#header = Buffer.alloc(0);
    }
    return chunk.subarray(piece.length);
  }

  #beginEntry(block: Buffer): void {
    const header = new Header(block, 0, this.#nextSize === undefined ? undefined : { size: this.#nextSize });
    if (header.nullBlock) return;
    const size = header.size ?? 0;
    this.#content = size;
    this.#padding = (BLOCK - (size % BLOCK)) % BLOCK;
    if (PAX.has(header.type) && size <= MAX_HEADER_BYTES) this.#pieces = [];
    if (MODIFIERS.has(header.type)) return;
    if (ENTRIES.has(header.type)) this.#keep();
    this.#next = NONE;
    this.#nextSize = undefined;
  }

  #keep(): void {
    this.#waitingBytes += sizeOf(this.#next);
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      throw new ImageError("KATA_IMAGE_LAYER", "a layer has more extended attributes than it may");
    }
    this.#waiting.push(this.#next);
  }

  #endContent(): void {
    if (this.#pieces === undefined) return;
    const found = new Map(this.#next);
    for (const [key, value] of paxRecords(Buffer.concat(this.#pieces))) {
      if (key.startsWith(PREFIX)) found.set(key.slice(PREFIX.length), value);
      else if (key === "size") this.#nextSize = Number(value.toString("latin1"));
    }
    this.#next = found;
    this.#pieces = undefined;
  }
}

/** "LENGTH KEY=VALUE\n", one after the other; ends at the first that is none. */
function* paxRecords(content: Buffer): Generator<readonly [key: string, value: Buffer]> {
  for (let start = 0; start < content.length; ) {
    const space = content.indexOf(" ", start);
    const equals = content.indexOf("=", space);
    const length = Number(content.toString("latin1", start, space));
    const end = start + length;
    const isRecord = space > start && equals > space && Number.isInteger(length) && end > equals;
    if (!isRecord || end > content.length || content[end - 1] !== 0x0a) return;
    yield [content.toString("utf8", space + 1, equals), content.subarray(equals + 1, end - 1)];
    start = end;
  }
}

/** What they take while they wait: also those that are none take their place. */
function sizeOf(attributes: Attributes): number {
  let size = PLACE_BYTES;
  for (const [name, value] of attributes) size += name.length + value.length;
  return size;
}
