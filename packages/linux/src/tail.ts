import { escapeControls } from "./escape.ts";

/** The last bytes of a stream of any length. A byte costs little, also where it comes by itself. */
export class Tail {
  readonly #limit: number;
  /** Twice the limit: the older half goes when it is full. */
  readonly #bytes: Buffer;
  #length = 0;

  constructor(limit: number) {
    this.#limit = limit;
    this.#bytes = Buffer.alloc(2 * limit);
  }

  push(chunk: Buffer): void {
    const end = chunk.subarray(-this.#limit);
    if (this.#length + end.length > this.#bytes.length) {
      const kept = this.#limit - end.length;
      this.#bytes.copyWithin(0, this.#length - kept, this.#length);
      this.#length = kept;
    }
    this.#length += end.copy(this.#bytes, this.#length);
  }

  /** The text, with what steers a terminal or the eye made harmless: it comes from a guest. */
  text(): string {
    return escapeControls(this.#bytes.toString("utf8", Math.max(0, this.#length - this.#limit), this.#length));
  }

  lines(count: number): string[] {
    return this.text()
      .split("\n")
      .filter((line) => line.trim() !== "")
      .slice(-count);
  }
}
