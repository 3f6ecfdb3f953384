import { isAtWork } from "./processes.ts";

/** Of one silence; each sample costs a look at the processes. */
const SAMPLES = 20;
/** A process that is always at work is given up, too, after this many times its silence. */
const MOST_SILENCES = 12;

/**
 * How long a process has been silent that is waited for. In the second half of the silence, time in which it, or a process below
 * it, works, or waits for a processor or a disk, does not count: on a host that has no time for it, a process is slow, and does not hang.
 *
 * Time is counted in samples: a caller that got no processor itself meanwhile has missed one, and looks for the answer first.
 */
export class Silence {
  /** How often to look, in milliseconds. */
  readonly sampleMs: number;
  readonly #pid: number | undefined;
  #sampledAt: number = performance.now();
  #silent = 0;
  #all = 0;

  /**
   * @param pid of the process; undefined when it may have ended already
   * @param limitMs milliseconds of silence after which it is given up
   */
  constructor(pid: number | undefined, limitMs: number) {
    this.#pid = pid;
    this.sampleMs = limitMs / SAMPLES;
  }

  /** Whether to give up. It may be asked more often than once in a sample, and is to be asked after one more look for the answer. */
  isOver(): boolean {
    const now = performance.now();
    if (now - this.#sampledAt >= this.sampleMs) {
      this.#sampledAt = now;
      this.#all += 1;
      if (!this.#isExcused()) this.#silent += 1;
    }
    return this.#silent >= SAMPLES || this.#all >= SAMPLES * MOST_SILENCES;
  }

  #isExcused(): boolean {
    return this.#silent >= SAMPLES / 2 && this.#pid !== undefined && isAtWork(this.#pid);
  }
}
