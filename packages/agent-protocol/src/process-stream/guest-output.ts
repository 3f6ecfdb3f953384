import { Readable } from "node:stream";
import { Arrivals } from "../arrivals.ts";
import { type Descriptor, Kind } from "./frame.ts";
import type { Link } from "./link.ts";

/** Bytes of each output that may be on their way to a reader that does not read. */
const OUTPUT_WINDOW: number = 2 * 1024 * 1024;

/** An output of the process. Credit is given as it is consumed, in steps of half the window: each is a frame to the guest. */
export class GuestOutput extends Readable {
  readonly #link: Link;
  readonly #descriptor: Descriptor;
  readonly #arrivals: Arrivals = new Arrivals(this, (taken) => {
    this.#giveCredit(taken);
  });
  #consumed = 0;

  constructor(link: Link, descriptor: Descriptor) {
    super({ highWaterMark: 1 });
    this.#link = link;
    this.#descriptor = descriptor;
    this.on("error", () => undefined);
    link.grant(descriptor, OUTPUT_WINDOW);
  }

  arrive(piece: Buffer): void {
    if (!this.destroyed && !this.#arrivals.isOver) this.#arrivals.push(piece);
  }

  /** Nothing more arrives. */
  finish(): void {
    this.#arrivals.finish();
  }

  override _read(): void {
    this.#arrivals.read();
  }

  #giveCredit(taken: number): void {
    this.#consumed += taken;
    if (this.#arrivals.isOver || this.#consumed < OUTPUT_WINDOW / 2) return;
    this.#link.grant(this.#descriptor, this.#consumed);
    this.#consumed = 0;
  }

  /** The reader is gone: the process learns it as from a pipe, and what is on its way is dropped. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#arrivals.clear();
    if (!this.#arrivals.isOver) this.#link.control(Kind.stop + this.#descriptor);
    done(error);
  }
}
