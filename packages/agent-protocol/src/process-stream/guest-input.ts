import { Writable } from "node:stream";
import { takeFront } from "../take-front.ts";
import { MAX_DATA_BYTES } from "./frame.ts";
import type { Link } from "./link.ts";

const WRITE_BYTES = 256 * 1024;

/** The process's standard input. Fails with EPIPE when the process has closed it. */
export class GuestInput extends Writable {
  readonly #link: Link;
  #gone = false;

  constructor(link: Link) {
    super({ highWaterMark: WRITE_BYTES });
    this.#link = link;
    this.on("error", () => undefined);
  }

  readerGone(): void {
    if (this.#gone) return; // The guest may say so without end.
    this.#gone = true;
    if (!this.writableFinished) this.destroy(new StdinClosed());
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this._writev([{ chunk }], done);
  }

  /** What waits together goes in one frame: the guest takes a few large ones with less work than many small ones. */
  override _writev(chunks: readonly { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    // An empty frame would be the end.
    const given = chunks.map(({ chunk }) => chunk).filter(({ length }) => length > 0);
    this.#send(given).then(() => {
      done(this.#gone ? new StdinClosed() : null);
    }, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#link.end(0);
    done();
  }

  async #send(chunks: readonly Buffer[]): Promise<void> {
    for (let left = chunks; left.length > 0; ) {
      const credit = await this.#link.credit(0);
      if (credit === 0) throw new StdinClosed();
      const { front, rest } = takeFront(left, Math.min(credit, MAX_DATA_BYTES));
      await this.#link.send(0, front);
      left = rest;
    }
  }
}

/** The process no longer reads its standard input. */
export class StdinClosed extends Error {
  readonly code = "EPIPE";
  override readonly name = "StdinClosed";

  constructor() {
    super("the process closed its standard input");
  }
}
