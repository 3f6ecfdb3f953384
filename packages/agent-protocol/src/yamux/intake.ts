import type { Duplex } from "node:stream";
import type { YamuxFrameReader } from "./frame-reader.ts";

/** Frames that are taken in one turn of the event loop, so that a flood of them does not hold it up. */
const FRAMES_PER_TURN = 256;
/** Frames that may wait for a peer that does not read. Such a peer asks for answers without end. */
const MAX_OWED_FRAMES = 256;

export interface IntakeOptions {
  /** Bytes of memory; without it the peer is trusted and read without pause. */
  readonly memoryBudget: number | undefined;
  /** Called once, for what the reader throws. */
  readonly onError: (error: unknown) => void;
}

/**
 * Reads a transport whose peer may be hostile: it stops while the peer's bytes and streams cost more memory than the
 * budget, and while the peer does not read what its frames are answered with.
 */
export class Intake {
  readonly #transport: Duplex;
  readonly #reader: YamuxFrameReader;
  readonly #options: IntakeOptions;
  /** The part of the last chunk that is still to be read. */
  #backlog: Buffer | undefined;
  #held = 0;
  #owed = 0;
  #turnIsDue = false;
  #closed = false;

  constructor(transport: Duplex, reader: YamuxFrameReader, options: IntakeOptions) {
    this.#transport = transport;
    this.#reader = reader;
    this.#options = options;
    transport.on("data", (chunk: Buffer) => {
      if (this.#closed) return;
      this.#backlog = this.#backlog === undefined ? chunk : Buffer.concat([this.#backlog, chunk]);
      this.#takeTurn();
    });
  }

  /** The memory that is held for the peer has changed by so many bytes. */
  hold(change: number): void {
    this.#held += change;
    if (change < 0) this.#regulate();
  }

  /** A frame was added to those that wait for the peer to read. */
  owe(): void {
    this.#owed += 1;
  }

  /** The peer has read what waited. */
  settle(): void {
    this.#owed = 0;
    this.#regulate();
  }

  close(): void {
    this.#closed = true;
    this.#backlog = undefined;
  }

  #takeTurn(): void {
    const chunk = this.#backlog;
    if (chunk === undefined || this.#closed) return;
    const frames = this.#options.memoryBudget === undefined ? Number.POSITIVE_INFINITY : FRAMES_PER_TURN;
    this.#backlog = undefined;
    try {
      const taken = this.#reader.push(chunk, frames);
      if (taken < chunk.length) this.#backlog = chunk.subarray(taken);
    } catch (error) {
      this.#options.onError(error);
      return;
    }
    this.#regulate();
  }

  #regulate(): void {
    if (this.#options.memoryBudget === undefined || this.#closed) return;
    const isFull = this.#isFull();
    if (isFull || this.#backlog !== undefined) this.#transport.pause();
    else if (this.#transport.isPaused()) this.#transport.resume();
    if (!isFull && this.#backlog !== undefined) this.#takeTurnSoon();
  }

  #takeTurnSoon(): void {
    if (this.#turnIsDue) return;
    this.#turnIsDue = true;
    setImmediate(() => {
      this.#turnIsDue = false;
      if (!this.#isFull()) this.#takeTurn();
    });
  }

  #isFull(): boolean {
    const { memoryBudget = Number.POSITIVE_INFINITY } = this.#options;
    return this.#held > memoryBudget || this.#owed > MAX_OWED_FRAMES;
  }
}
