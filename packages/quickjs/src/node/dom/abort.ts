import { invalidArgument } from "../errors.ts";
import { setTimeout } from "../loop/timers.ts";
import { Dependents } from "./dependents.ts";
import { DOMException } from "./dom-exception.ts";
import { Event, EventTarget } from "./event-target.ts";

const abortSignal: unique symbol = Symbol("abort");

type OnAbort = ((event: Event) => unknown) | null;

export class AbortSignal extends EventTarget {
  #aborted = false;
  #isOfAny = false;
  #reason: unknown;
  #onabort: OnAbort = null;
  /** Those by which one of `any` is aborted; they depend on no others. */
  #sources: readonly AbortSignal[] = [];
  readonly #dependents: Dependents<AbortSignal> = new Dependents();

  /** A listener as others are: they are called in their order, and an error of one keeps none of them from it. */
  static readonly #callOnAbort = function (this: AbortSignal, event: Event): void {
    this.#onabort?.(event);
  };

  static abort(reason: unknown = aborted()): AbortSignal {
    const signal = new AbortSignal();
    signal[abortSignal](reason);
    return signal;
  }

  /** It keeps no program running. */
  static timeout(milliseconds: number): AbortSignal {
    const signal = new AbortSignal();
    const onTimeout = (): void => {
      signal[abortSignal](new DOMException("The operation was aborted due to timeout", "TimeoutError"));
    };
    setTimeout(onTimeout, milliseconds).unref();
    return signal;
  }

  /** A source that lives long keeps nothing of it, unless a listener waits for it. */
  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const given = [...signals];
    if (!given.every((signal) => signal instanceof AbortSignal)) {
      throw invalidArgument("signals", "an instance of AbortSignal[]", signals);
    }
    const any = new AbortSignal();
    const over = given.find((signal) => signal.aborted);
    if (over === undefined) any.#follow(given);
    else any[abortSignal](over.reason);
    return any;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  get onabort(): OnAbort {
    return this.#onabort;
  }

  set onabort(listener: OnAbort) {
    this.#onabort = typeof listener === "function" ? listener : null;
    if (this.#onabort === null) this.removeEventListener("abort", AbortSignal.#callOnAbort);
    else this.addEventListener("abort", AbortSignal.#callOnAbort);
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
    super.addEventListener(...args);
    this.#holdWhileAwaited();
  }

  override removeEventListener(...args: Parameters<EventTarget["removeEventListener"]>): void {
    super.removeEventListener(...args);
    this.#holdWhileAwaited();
  }

  /** All that depend on it have the reason before any listener is called. */
  [abortSignal](reason: unknown): void {
    if (this.#aborted) return;
    const all = [this, ...this.#dependents].filter((signal) => !signal.#aborted);
    for (const signal of all) signal.#end(reason);
    this.#dependents.clear();
    for (const signal of all) signal.dispatchEvent(new Event("abort"));
  }

  #end(reason: unknown): void {
    this.#aborted = true;
    this.#reason = reason;
    for (const source of this.#sources) source.#dependents.hold(this, false);
    this.#sources = [];
  }

  #follow(given: readonly AbortSignal[]): void {
    // One of `any` without sources is never aborted.
    const sources = given.flatMap((signal) => (signal.#isOfAny ? signal.#sources : [signal]));
    this.#isOfAny = true;
    this.#sources = [...new Set(sources)];
    for (const source of this.#sources) source.#dependents.add(this);
  }

  #holdWhileAwaited(): void {
    const isAwaited = this.hasListeners("abort");
    for (const source of this.#sources) source.#dependents.hold(this, isAwaited);
  }
}

export class AbortController {
  readonly signal: AbortSignal = new AbortSignal();

  abort(reason: unknown = aborted()): void {
    this.signal[abortSignal](reason);
  }
}

function aborted(): DOMException {
  return new DOMException("This operation was aborted", "AbortError");
}
