/** Limits how much work runs at once. Work that takes long stops counting after a while, so that it cannot block the rest. */
export class Semaphore {
  readonly #places: () => number;
  readonly #patienceMs: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /**
   * @param places how much work may run at once at this time
   * @param patienceMs how long running work is counted
   */
  constructor(places: () => number, patienceMs: number) {
    this.#places = places;
    this.#patienceMs = patienceMs;
  }

  /** Runs the work when there is a place for it, in the order of the calls. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#startNext();
    });
    let counted = true;
    const release = (): void => {
      if (counted) this.#running -= 1;
      counted = false;
      this.#startNext();
    };
    const timer = setTimeout(release, this.#patienceMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      release();
    }
  }

  #startNext(): void {
    while (this.#running < this.#places()) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running += 1;
      next();
    }
  }
}
