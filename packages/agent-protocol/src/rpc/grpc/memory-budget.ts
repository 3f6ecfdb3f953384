/** A share of a budget; its bytes come back by `release`. */
export interface Reservation {
  release(): void;
}

interface Waiting {
  readonly bytes: number;
  readonly onGranted: () => void;
}

/**
 * Memory for the large messages of one connection. Each is let in as a whole, or not yet: whatever the peer opens at a time, what is
 * held is bounded, and the messages that are let in can all be completed.
 */
export class MemoryBudget {
  #free: number;
  readonly #waiting: Set<Waiting> = new Set();

  constructor(bytes: number) {
    this.#free = bytes;
  }

  /** Calls back once the bytes are there, in the order of the calls. @param bytes no more than the budget */
  reserve(bytes: number, onGranted: () => void): Reservation {
    const waiting = { bytes, onGranted };
    this.#waiting.add(waiting);
    this.#grant();
    let isReleased = false;
    return {
      release: () => {
        if (isReleased) return;
        isReleased = true;
        if (!this.#waiting.delete(waiting)) this.#free += bytes;
        this.#grant();
      },
    };
  }

  #grant(): void {
    for (const waiting of this.#waiting) {
      if (waiting.bytes > this.#free) return;
      this.#waiting.delete(waiting);
      this.#free -= waiting.bytes;
      waiting.onGranted();
    }
  }
}
