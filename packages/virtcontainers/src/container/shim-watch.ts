import { KataError } from "../errors.ts";
import type { Shim } from "../ports/shims.ts";

/** Aborts when a container's shim ends during its creation: without the shim no engine could wait for the container. */
export class ShimWatch {
  readonly #abort: AbortController = new AbortController();
  #watching = true;

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  watch(shim: Shim, containerId: string): void {
    void shim.exited.then(() => {
      if (!this.#watching) return;
      this.#abort.abort(new KataError("KATA_SHIM", `kata-shim of container ${containerId} has ended`));
    });
  }

  /** From now on its end means nothing: a rollback ends it itself. */
  stop(): void {
    this.#watching = false;
  }
}
