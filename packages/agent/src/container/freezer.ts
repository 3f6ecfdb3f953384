/** What freezes a container's processes, and what lets them go on. */
export interface FreezerSteps {
  freeze(): Promise<void>;
  thaw(): Promise<void>;
}

/** Whether a container's processes stand still. Its calls are done one after the other. */
export class Freezer {
  readonly #steps: FreezerSteps;
  #isFrozen = false;
  #last: Promise<void> = Promise.resolve();

  constructor(steps: FreezerSteps) {
    this.#steps = steps;
  }

  /** A call that fails in its middle, as where it takes too long, leaves none of those that ran standing still. */
  freeze(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#steps.freeze();
      } catch (error) {
        if (!this.#isFrozen) await this.#steps.thaw().catch(() => undefined);
        throw error;
      }
      this.#isFrozen = true;
    });
  }

  /**
   * Lets them go on where they stand still, also by a call that is in the middle of it: a guest that is restored in the middle of a
   * call goes on with it, and its host does not know what the earlier host asked for.
   */
  thaw(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#isFrozen) return;
      await this.#steps.thaw();
      this.#isFrozen = false;
    });
  }

  /** A call that fails does not keep the next one from being done. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
