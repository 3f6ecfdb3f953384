/** Lets few through at once. Who takes long keeps nobody: another goes in for it after a while. */
export class Turnstile {
  readonly #places: () => number;
  readonly #patienceMs: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;

  /**
   * @param places how many may be inside at this time
   * @param patienceMs how long one that has gone in is counted
   */
  constructor(places: () => number, patienceMs: number) {
    this.#places = places;
    this.#patienceMs = patienceMs;
  }

  /** Does the work when its turn has come, in the order of the calls. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      this.#letIn();
    });
    let counted = true;
    const leave = (): void => {
      if (counted) this.#inside -= 1;
      counted = false;
      this.#letIn();
    };
    const timer = setTimeout(leave, this.#patienceMs);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
      leave();
    }
  }

  #letIn(): void {
    while (this.#inside < this.#places()) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#inside += 1;
      next();
    }
  }
}
