import { takeFront } from "../src/take-front.ts";

/** How a peer gives back credit: its window, what it has read before it says so, and how much it reads at a time. */
export interface CreditRules {
  readonly window: number;
  readonly step: number;
  readonly reads: readonly number[];
}

/** A receiver by those rules, which sees to it that its sender keeps to them. */
export class CreditReceiver {
  readonly #rules: CreditRules;
  readonly #grant: (bytes: number) => void;
  readonly #arrived: Buffer[] = [];
  #waiting: readonly Buffer[] = [];
  #credit: number;
  #read = 0;
  #turn = 0;
  #isReading = false;

  constructor(rules: CreditRules, grant: (bytes: number) => void) {
    this.#rules = rules;
    this.#grant = grant;
    this.#credit = rules.window;
  }

  get received(): Buffer {
    return Buffer.concat(this.#arrived);
  }

  /** Of what was read. */
  get length(): number {
    return this.#arrived.reduce((sum, { length }) => sum + length, 0);
  }

  arrive(piece: Buffer): void {
    this.#credit -= piece.length;
    if (this.#credit < 0) throw new Error(`${String(-this.#credit)} bytes more than the window`);
    this.#waiting = [...this.#waiting, piece];
    this.#readSoon();
  }

  #readSoon(): void {
    if (this.#isReading || this.#waiting.length === 0) return;
    this.#isReading = true;
    setImmediate(() => {
      this.#isReading = false;
      const { reads, step } = this.#rules;
      const { front, size, rest } = takeFront(this.#waiting, reads[this.#turn++ % reads.length] ?? 1);
      this.#arrived.push(...front);
      this.#waiting = rest;
      this.#read += size;
      if (this.#read >= step) {
        this.#credit += this.#read;
        this.#grant(this.#read);
        this.#read = 0;
      }
      this.#readSoon();
    });
  }
}

/** Bytes of which none is like its neighbours, in pieces of these sizes by turns. */
export function numbered(total: number, sizes: readonly number[]): Buffer[] {
  const bytes = Buffer.alloc(total);
  for (let at = 0; at + 4 <= total; at += 4) bytes.writeUInt32BE(at, at);
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < total; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}
