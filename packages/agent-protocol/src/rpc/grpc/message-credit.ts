import type { Http2Stream } from "../../http2/stream.ts";
import type { MemoryBudget, Reservation } from "./memory-budget.ts";

/** Lets the peer send the rest of a message that fills its stream's first window, once there is memory for it. */
export class MessageCredit {
  readonly #stream: Http2Stream;
  readonly #budget: MemoryBudget;
  readonly #firstWindow: number;
  #reservation: Reservation | undefined;

  /** @param stream before any data has come */
  constructor(stream: Http2Stream, budget: MemoryBudget) {
    this.#stream = stream;
    this.#budget = budget;
    this.#firstWindow = stream.receiveWindow.room;
  }

  /** @param bytes of the message, once they are known */
  expect(bytes: number | undefined): void {
    if (this.#reservation !== undefined || bytes === undefined || bytes < this.#firstWindow) return;
    // The first window stays beyond the message: Node's HTTP/2 sends no trailers while a window is closed.
    this.#reservation = this.#budget.reserve(bytes, () => {
      this.#stream.grant(bytes);
    });
  }

  /** The message is taken, or given up. */
  release(): void {
    this.#reservation?.release();
  }
}
