import type { Readable } from "node:stream";
import { ByteQueue } from "./byte-queue.ts";

/**
 * Bytes that have arrived for a stream, and wait in a queue of our own until its reader asks. The guest chooses how they
 * are cut; here small pieces are merged, where Node's queue would keep each by itself. The stream's high water mark is to
 * be 1: Node then asks for more only when it has given out what it had.
 */
export class Arrivals {
  readonly #stream: Readable;
  /** Called after each turn, with how many bytes the reader took: maybe none. */
  readonly #onTurn: (taken: number) => void;
  readonly #queue: ByteQueue = new ByteQueue();
  #readerWaits = false;
  #turnIsDue = false;
  #isOver = false;

  constructor(stream: Readable, onTurn: (taken: number) => void) {
    this.#stream = stream;
    this.#onTurn = onTurn;
  }

  /** In bytes, what holding it costs included. */
  get memory(): number {
    return this.#queue.memory;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  push(piece: Buffer): void {
    this.#queue.push(piece);
    if (this.#readerWaits) this.#deliverSoon();
  }

  /** Nothing more arrives: the stream ends after what is here. */
  finish(): void {
    this.#isOver = true;
    if (this.#readerWaits) this.#deliverSoon();
  }

  /** The stream's `_read`. */
  read(): void {
    this.#readerWaits = true;
    this.deliver();
  }

  /** Gives a waiting reader what is here. */
  deliver(): void {
    if (!this.#readerWaits) return;
    let taken = 0;
    while (this.#readerWaits && !this.#stream.destroyed) {
      const piece = this.#queue.shift();
      if (piece === undefined) break;
      taken += piece.length;
      this.#readerWaits = this.#stream.push(piece);
    }
    this.#onTurn(taken);
    if (!this.#readerWaits || !this.#isOver || this.#queue.length > 0 || this.#stream.destroyed) return;
    this.#readerWaits = false;
    this.#stream.push(null);
  }

  clear(): void {
    this.#queue.clear();
  }

  // The frames of one chunk are taken together, so that a reader gets their bytes together, too.
  #deliverSoon(): void {
    if (this.#turnIsDue) return;
    this.#turnIsDue = true;
    queueMicrotask(() => {
      this.#turnIsDue = false;
      this.deliver();
    });
  }
}
