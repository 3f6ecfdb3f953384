import { ErrorCode, Http2Error } from "../protocol.ts";

/** No number of a header block that is within its limits needs more: 28 bits beside those of the prefix. */
const MAX_CONTINUATION_BYTES = 4;

/** Reads a header block from its begin to its end. */
export class BlockReader {
  readonly #block: Buffer;
  #offset = 0;

  constructor(block: Buffer) {
    this.#block = block;
  }

  get isAtEnd(): boolean {
    return this.#offset >= this.#block.length;
  }

  /** The next byte, which stays. @throws Http2Error at the end of the block */
  peek(): number {
    const byte = this.#block[this.#offset];
    if (byte === undefined) throw truncated();
    return byte;
  }

  /**
   * An integer whose first bits share a byte with something else (RFC 7541, 5.1).
   *
   * @throws Http2Error
   */
  integer(prefixBits: number): number {
    const limit = 2 ** prefixBits - 1;
    let value = this.#next() & limit;
    if (value < limit) return value;
    for (let shift = 0; shift < 7 * MAX_CONTINUATION_BYTES; shift += 7) {
      const byte = this.#next();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Http2Error(ErrorCode.Compression, "a number of a header block is too long");
  }

  /** @throws Http2Error when the block has fewer bytes */
  bytes(count: number): Buffer {
    const end = this.#offset + count;
    if (end > this.#block.length) throw truncated();
    const bytes = this.#block.subarray(this.#offset, end);
    this.#offset = end;
    return bytes;
  }

  #next(): number {
    const byte = this.peek();
    this.#offset += 1;
    return byte;
  }
}

function truncated(): Http2Error {
  return new Http2Error(ErrorCode.Compression, "a header block is truncated");
}
