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
      this.#keep(chunk.subarray(from, end));
      from = end + 1;
      const line = this.#held.toString("utf8", 0, this.#length).trim();
      this.#length = 0;
      if (line !== "") this.#onLine(line);
    }
    this.#keep(chunk.subarray(from));
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
