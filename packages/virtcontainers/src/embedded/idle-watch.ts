/** How long a sandbox may do nothing before that is told: its VM keeps the program alive. */
const IDLE_MS = 5 * 60_000;

/** A warning's code, for `process.on("warning")`. */
export const IDLE_WARNING = "KATA_SANDBOX_IDLE";

/**
 * Warns once of a sandbox that has done nothing for long and was not ended: a program that has forgotten one does not end. Calls
 * that are under way, and processes that run, are something.
 */
export class IdleWatch {
  readonly #id: string;
  readonly #idleMs: number;
  #busy = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param idleMs 0: never */
  constructor(id: string, idleMs: number = IDLE_MS) {
    this.#id = id;
    this.#idleMs = idleMs;
    this.#wait();
  }

  /** From now on something is done. @returns to be called once, when it is over */
  begin(): () => void {
    this.#busy += 1;
    clearTimeout(this.#timer);
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#busy -= 1;
      if (this.#busy === 0) this.#wait();
    };
  }

  async during<T>(work: Promise<T>): Promise<T> {
    const done = this.begin();
    try {
      return await work;
    } finally {
      done();
    }
  }

  /** It has ended: nothing is to be told any more. */
  stop(): void {
    this.#busy = Number.POSITIVE_INFINITY;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    if (this.#idleMs === 0) return;
    this.#timer = setTimeout(() => {
      const since = `${String(this.#idleMs / 1000)} s`;
      process.emitWarning(
        `sandbox ${this.#id} has done nothing for ${since}, and its VM keeps this program alive: end it ("await using"), or create it with idleWarningMs: 0`,
        { code: IDLE_WARNING },
      );
    }, this.#idleMs).unref();
  }
}
