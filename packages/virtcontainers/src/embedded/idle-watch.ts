import { KataError } from "../errors.ts";

/** How long a sandbox may be idle before it warns: it keeps the program running. */
const IDLE_MS = 5 * 60_000;

/** A warning's code, for `process.on("warning")`. */
export const IDLE_WARNING = "KATA_SANDBOX_IDLE";

/** The longest that a timer may be; what it does then is nothing. */
const FOREVER_MS = 2 ** 31 - 1;

/**
 * Whether a sandbox is busy: calls are under way, or processes run. A busy sandbox keeps the program running; an idle one
 * does, too, until `unref()`. A sandbox that keeps the program running and is idle for long warns once: the program may have
 * forgotten it, and does not end.
 */
export class IdleWatch {
  readonly #id: string;
  readonly #idleMs: number;
  readonly #running: NodeJS.Timeout = setInterval(() => undefined, FOREVER_MS);
  #keepsRunning = true;
  #busy = 0;
  /** What is under way that needs this program. */
  readonly #attached: Set<{ readonly what: string }> = new Set();
  #timer: NodeJS.Timeout | undefined;
  /** Why no call may begin. */
  #refusal: string | undefined;

  /** @param idleMs 0: never */
  constructor(id: string, idleMs: number = IDLE_MS) {
    this.#id = id;
    this.#idleMs = idleMs;
    this.#wait();
  }

  ref(): void {
    this.#keepsRunning = true;
    this.#settle();
  }

  unref(): void {
    this.#keepsRunning = false;
    this.#settle();
  }

  /** What is under way, in words, but for what goes on without this program. */
  get attached(): readonly string[] {
    return [...this.#attached].map(({ what }) => what);
  }

  /**
   * From now on something is done.
   *
   * @param what is done, for an error; undefined: it goes on without this program, too
   * @returns to be called once, when it is over
   */
  begin(what?: string): () => void {
    this.#busy += 1;
    const attached = what === undefined ? undefined : { what };
    if (attached !== undefined) this.#attached.add(attached);
    this.#settle();
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#busy -= 1;
      if (attached !== undefined) this.#attached.delete(attached);
      this.#settle();
    };
  }

  /**
   * From now on no call begins: the sandbox would be gone in its middle.
   *
   * @param why what the sandbox does or did, such as `is being detached`; undefined: calls may begin again
   */
  refuseCalls(why: string | undefined): void {
    this.#refusal = why;
  }

  /** @throws KataError KATA_STATE where no call may begin */
  requireCalls(): void {
    if (this.#refusal === undefined) return;
    throw new KataError("KATA_STATE", `sandbox ${this.#id} ${this.#refusal}`, {
      hint: "Sandbox.open() takes it over again",
    });
  }

  /** Does a call. @throws KataError KATA_STATE where none may begin */
  async during<T>(work: () => Promise<T>, what = "a call"): Promise<T> {
    this.requireCalls();
    return await this.#until(work, this.begin(what));
  }

  /** As during, of a process that lives on without this program. */
  async duringProcess(process: Promise<unknown>): Promise<void> {
    await this.#until(() => process, this.begin()).catch(() => undefined);
  }

  async #until<T>(work: () => Promise<T>, done: () => void): Promise<T> {
    try {
      return await work();
    } finally {
      done();
    }
  }

  /** It has ended: nothing is to be told any more. */
  stop(): void {
    this.#busy = Number.POSITIVE_INFINITY;
    clearTimeout(this.#timer);
    clearInterval(this.#running);
  }

  #settle(): void {
    clearTimeout(this.#timer);
    if (this.#busy > 0 || this.#keepsRunning) this.#running.ref();
    else this.#running.unref();
    if (this.#busy === 0 && this.#keepsRunning) this.#wait();
  }

  #wait(): void {
    if (this.#idleMs === 0) return;
    this.#timer = setTimeout(() => {
      const since = `${String(this.#idleMs / 1000)} s`;
      process.emitWarning(
        `sandbox ${this.#id} has done nothing for ${since}, and its VM keeps this program alive: end it ("await using"), unref() it, or create it with idleWarningMs: 0`,
        { code: IDLE_WARNING },
      );
    }, this.#idleMs).unref();
  }
}
