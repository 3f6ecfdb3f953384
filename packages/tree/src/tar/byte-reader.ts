import { TarError } from "./tar-error.ts";

/** A stream of bytes for readers that know how many bytes they want. It holds one chunk. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** So many bytes; fewer only at the end of the stream. */
  async upTo(length: number): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      const piece = await this.#piece(missing);
      if (piece === undefined) break;
      pieces.push(piece);
      missing -= piece.length;
    }
    return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces);
  }

  /** So many bytes. @throws TarError where the stream ends before */
  async exactly(length: number): Promise<Buffer> {
    const bytes = await this.upTo(length);
    if (bytes.length < length) throw endsTooEarly();
    return bytes;
  }

  /** So many bytes, as they come. @throws TarError where the stream ends before */
  async *stream(length: number): AsyncGenerator<Buffer, void, undefined> {
    for (let missing = length; missing > 0; ) {
      const piece = await this.#piece(missing);
      if (piece === undefined) throw endsTooEarly();
      missing -= piece.length;
      yield piece;
    }
  }

  async skip(length: number): Promise<void> {
    for (let missing = length; missing > 0; ) {
      const piece = await this.#piece(missing);
      if (piece === undefined) throw endsTooEarly();
      missing -= piece.length;
    }
  }

  /** Reads the rest, for readers that watch the stream on its way. */
  async drain(): Promise<void> {
    while ((await this.#piece(Number.MAX_SAFE_INTEGER)) !== undefined);
  }

  async #piece(limit: number): Promise<Buffer | undefined> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      this.#rest = next.value;
    }
    const piece = this.#rest.subarray(0, limit);
    this.#rest = this.#rest.subarray(piece.length);
    return piece;
  }
}

function endsTooEarly(): TarError {
  return new TarError("it ends in the middle of an entry");
}
