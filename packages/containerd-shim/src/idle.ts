import { releaseMemory } from "@kata-ts/linux";

/** How long nothing is to begin before memory is given back. */
const QUIET_MS = 1_000;
/** It takes some 30 ms: a pod whose health is looked at each second has that seldom. */
const INTERVAL_MS = 10_000;

/** Gives back what making containers and processes has left on the heap, once the pod has nothing to do. */
export class IdleMemory {
  readonly #release: () => void;
  #timer: NodeJS.Timeout | undefined;
  #nextAt = 0;

  constructor(release: () => void = releaseMemory) {
    this.#release = release;
  }

  /** To be called when a process has begun. */
  used(): void {
    clearTimeout(this.#timer);
    const wait = Math.max(QUIET_MS, this.#nextAt - performance.now());
    this.#timer = setTimeout(() => {
      this.#nextAt = performance.now() + INTERVAL_MS;
      this.#release();
    }, wait).unref();
  }
}
