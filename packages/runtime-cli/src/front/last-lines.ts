const LINE_END = 0x0a;

/** Keeps the last lines of what it is given, and no more. */
export class LastLines {
  readonly #count: number;
  #lines: Buffer[] = [];
  /** The end of the last line has not come. */
  #isOpen = false;

  constructor(count: number) {
    this.#count = count;
  }

  /** @param chunk undefined for what is missing: what came before it is not kept */
  add(chunk: Buffer | undefined): void {
    if (chunk === undefined) {
      [this.#lines, this.#isOpen] = [[], false];
      return;
    }
    for (let from = 0; from < chunk.length; ) {
      const end = chunk.indexOf(LINE_END, from);
      const to = end === -1 ? chunk.length : end + 1;
      const part = chunk.subarray(from, to);
      if (this.#isOpen) this.#lines.push(Buffer.concat([this.#lines.pop() ?? Buffer.alloc(0), part]));
      else this.#lines.push(part);
      this.#isOpen = end === -1;
      from = to;
    }
    if (this.#lines.length > this.#count) this.#lines = this.#lines.slice(this.#lines.length - this.#count);
  }

  /** It has as many as it may keep. */
  get isFull(): boolean {
    return this.#lines.length >= this.#count;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#count === 0 ? [] : this.#lines);
  }
}
