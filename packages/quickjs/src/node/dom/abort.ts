import { setTimeout } from "../loop/timers.ts";
import { DOMException } from "./dom-exception.ts";
import { Event, EventTarget } from "./event-target.ts";

const abortSignal: unique symbol = Symbol("abort");

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason: unknown;
  onabort: ((event: Event) => unknown) | null = null;

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

  static any(signals: Iterable<AbortSignal>): AbortSignal {
    const any = new AbortSignal();
    for (const signal of signals) {
      const onAbort = (): void => {
        any[abortSignal](signal.reason);
      };
      if (signal.aborted) onAbort();
      else signal.addEventListener("abort", onAbort, { once: true, signal: any });
    }
    return any;
  }

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  [abortSignal](reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    const event = new Event("abort");
    this.onabort?.(event);
    this.dispatchEvent(event);
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
