import { withinLimit } from "./limit.ts";

/** Work that passes together, and work that has to be alone. */
export class Gate {
  readonly #passing: Set<Promise<unknown>> = new Set();
  #closed: Promise<void> | undefined;

  /** Does work once the gate is open. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    while (this.#closed !== undefined) await this.#closed;
    const passing = work();
    this.#passing.add(passing);
    try {
      return await passing;
    } finally {
      this.#passing.delete(passing);
    }
  }

  /**
   * Does work alone: what passes is waited for, and what comes meanwhile waits.
   *
   * @param signal ends the wait; @throws its reason
   */
  async alone<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    for (let closed = this.#closed; closed !== undefined; closed = this.#closed) await within(signal, closed);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#closed = promise;
    try {
      await within(signal, Promise.allSettled([...this.#passing]));
      return await work();
    } finally {
      this.#closed = undefined;
      resolve();
    }
  }
}

async function within(signal: AbortSignal | undefined, work: Promise<unknown>): Promise<void> {
  await withinLimit("the wait for other calls", { signal }, () => work);
}
