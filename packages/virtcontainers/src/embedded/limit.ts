import { KataError, reasonOf } from "../errors.ts";

/** What ends a call, or a process, before it comes to its own end. */
export interface LimitOptions {
  /** Aborted, it ends what was asked for. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds, 1 to 2 147 483 647, after which it is ended; without it there is no such limit. */
  readonly timeoutMs?: number | undefined;
}

export type LimitReason = "timedOut" | "aborted";

/** The longest that a timer can be: a longer one would fire at once. */
export const MAX_TIMEOUT_MS: number = 2 ** 31 - 1;

/** Calls back once, when the first limit of some is reached. Disposing it lifts them. */
export class Limit implements Disposable {
  readonly #signal: AbortSignal | undefined;
  readonly #onOver: (reason: LimitReason) => void;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor({ signal, timeoutMs }: LimitOptions, onOver: (reason: LimitReason) => void) {
    this.#signal = signal;
    this.#onOver = onOver;
    if (signal?.aborted === true) {
      onOver("aborted");
      return;
    }
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    if (timeoutMs !== undefined) this.#timer = setTimeout(this.#reach, timeoutMs, "timedOut");
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.#reach("aborted");
  };

  readonly #reach = (reason: LimitReason): void => {
    this[Symbol.dispose]();
    this.#onOver(reason);
  };
}

/** A signal that is aborted when a limit is reached, with what the caller is to be given. Disposing it lifts the limits. */
class LimitSignal implements Disposable {
  readonly signal: AbortSignal;
  readonly #limit: Limit;

  /** @throws the reason of a signal that is aborted already */
  constructor(what: string, options: LimitOptions) {
    options.signal?.throwIfAborted();
    const over = new AbortController();
    this.signal = over.signal;
    this.#limit = new Limit(options, (reason) => {
      over.abort(causeOf(reason, what, options));
    });
  }

  [Symbol.dispose](): void {
    this.#limit[Symbol.dispose]();
  }
}

/**
 * Waits for work until a limit is reached.
 *
 * @param what is waited for, for the error: `the process`
 * @param work gets a signal that is aborted with the wait
 * @throws the reason of an aborted signal; KataError KATA_TIMEOUT
 */
export async function withinLimit<T>(
  what: string,
  options: LimitOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using limit = new LimitSignal(what, options);
  const { signal } = limit;
  return await orAborted(signal, work(signal), () => undefined);
}

/**
 * Does work that takes back what it has done when its signal is aborted, and waits for that.
 *
 * @param what is done, for the error
 * @throws the reason of an aborted signal; KataError KATA_TIMEOUT; what the work throws
 */
export async function endedByLimit<T>(
  what: string,
  options: LimitOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using limit = new LimitSignal(what, options);
  const { signal } = limit;
  try {
    return await work(signal);
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

/**
 * As `withinLimit`, for work that cannot be given up in its middle: what it makes after the limit is disposed of.
 *
 * @throws the reason of an aborted signal; KataError KATA_TIMEOUT; what the work throws
 */
export async function disposedWhenLate<T extends AsyncDisposable>(
  what: string,
  options: LimitOptions,
  work: () => Promise<T>,
): Promise<T> {
  using limit = new LimitSignal(what, options);
  return await orAborted(limit.signal, work(), (made) => void takeBack(what, made));
}

/** What comes first. @param onLate is given what the work made after the signal was aborted: there is no moment between */
function orAborted<T>(signal: AbortSignal, work: Promise<T>, onLate: (made: T) => void): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  signal.addEventListener("abort", () => {
    reject(signal.reason);
  });
  work.then((made) => {
    if (signal.aborted) onLate(made);
    else resolve(made);
  }, reject);
  return promise;
}

/** Ends what is of no use any more; what is left of it is warned about. @param what was given up */
export async function takeBack(what: string, made: AsyncDisposable): Promise<void> {
  try {
    await made[Symbol.asyncDispose]();
  } catch (error) {
    process.emitWarning(`${what} was given up, and not all of it was taken back: ${reasonOf(error)}`);
  }
}

function causeOf(reason: LimitReason, what: string, { signal, timeoutMs = 0 }: LimitOptions): unknown {
  if (reason === "aborted") return signal?.reason;
  return new KataError("KATA_TIMEOUT", `${what} took longer than ${String(timeoutMs)} ms`);
}
