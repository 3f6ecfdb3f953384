import { QemuError } from "../errors.ts";

const FIRST_BYTES = 4 * 1024;

/**
 * Cuts a byte stream into lines, however it is fragmented; a character split between chunks stays whole. A line costs time
 * and memory in proportion to its length, also where it arrives byte by byte.
 */
export class LineReader {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  #held: Buffer = Buffer.alloc(FIRST_BYTES);
  #length = 0;

  constructor(maxBytes: number, onLine: (line: string) => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
  }

  /** @throws QemuError KATA_QMP_PROTOCOL for a line above the limit */
  push(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, from)) {
      const start = from;
      from = end + 1;
      // A flood of empty lines is read as fast as it comes.
      if (end === start && this.#length === 0) continue;
      const line = this.#lineOf(chunk, start, end).trim();
      if (line !== "") this.#onLine(line);
    }
    if (from < chunk.length) this.#keep(chunk.subarray(from));
  }

  /** A line that ends in this chunk; most also begin there, and are not copied. */
  #lineOf(chunk: Buffer, start: number, end: number): string {
    if (this.#length === 0 && end - start <= this.#maxBytes) return chunk.toString("utf8", start, end);
    this.#keep(chunk.subarray(start, end));
    const line = this.#held.toString("utf8", 0, this.#length);
    this.#length = 0;
    return line;
  }

  #keep(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (length > this.#maxBytes) {
      throw new QemuError("KATA_QMP_PROTOCOL", `a QMP line is longer than ${String(this.#maxBytes)} bytes`);
    }
    if (length > this.#held.length) {
      const larger = Buffer.alloc(Math.max(length, this.#held.length * 2));
      this.#held.copy(larger, 0, 0, this.#length);
      this.#held = larger;
    }
    piece.copy(this.#held, this.#length);
    this.#length = length;
  }
}
