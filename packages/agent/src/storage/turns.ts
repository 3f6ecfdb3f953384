/** Lets work on the same thing happen one after the other, and on different things at once. */
export class Turns {
  readonly #last: Map<string, Promise<unknown>> = new Map();

  /** Does the work once all that was asked for this key before has ended, however it ended. */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
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
