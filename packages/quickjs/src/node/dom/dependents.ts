/**
 * What depends on a source that may outlive it: known by the source, and not held by it. Only what is waited for is held, as
 * otherwise its listeners would never be called.
 */
export class Dependents<T extends object> implements Iterable<T> {
  readonly #known: Set<WeakRef<T>> = new Set();
  readonly #held: Set<T> = new Set();
  /** How many there are once those that have gone are looked for. */
  #limit = 16;

  add(dependent: T): void {
    if (this.#known.size >= this.#limit) {
      for (const reference of this.#known) if (reference.deref() === undefined) this.#known.delete(reference);
      this.#limit = Math.max(16, 2 * this.#known.size);
    }
    this.#known.add(new WeakRef(dependent));
  }

  hold(dependent: T, isHeld: boolean): void {
    if (isHeld) this.#held.add(dependent);
    else this.#held.delete(dependent);
  }

  clear(): void {
    this.#known.clear();
    this.#held.clear();
  }

  /** At most twice as many as live. */
  get size(): number {
    return this.#known.size;
  }

  /** In the order in which they were added. */
  *[Symbol.iterator](): Generator<T, undefined> {
    for (const reference of this.#known) {
      const dependent = reference.deref();
      if (dependent !== undefined) yield dependent;
    }
    return undefined;
  }
}
