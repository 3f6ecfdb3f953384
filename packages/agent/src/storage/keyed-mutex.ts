/** Serialises work on the same key; work on different keys runs at once. */
export class KeyedMutex {
  readonly #last: Map<string, Promise<unknown>> = new Map();

  /** Runs the work once all earlier work for this key has ended, whether it failed or not. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#last.set(key, turn);
    try {
      return await turn;
    } finally {
      if (this.#last.get(key) === turn) this.#last.delete(key);
    }
  }
}
