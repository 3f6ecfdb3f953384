import { nextTick } from "../loop/ticks.ts";
import { reportUncaught } from "../loop/uncaught.ts";

/** Of the DOM's events what programs without a document use: no phases, no default actions. */
export class Event {
  readonly type: string;
  readonly cancelable: boolean;
  target: EventTarget | null = null;
  defaultPrevented = false;
  #isStopped = false;

  constructor(type: string, { cancelable = false }: { readonly cancelable?: boolean } = {}) {
    this.type = type;
    this.cancelable = cancelable;
  }

  get currentTarget(): EventTarget | null {
    return this.target;
  }

  preventDefault(): void {
    if (this.cancelable) this.defaultPrevented = true;
  }

  stopImmediatePropagation(): void {
    this.#isStopped = true;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }
}

type Callback = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

export interface ListenerOptions {
  readonly once?: boolean;
  readonly signal?: EventTarget & { readonly aborted: boolean };
}

interface Entry {
  readonly callback: Callback;
  readonly isOnce: boolean;
  /** Ends what its signal knows of it: a signal may live much longer. */
  readonly forget?: () => void;
}

export class EventTarget {
  readonly #entries: Map<string, Entry[]> = new Map();

  addEventListener(type: string, callback: Callback | null, options: ListenerOptions | boolean = {}): void {
    const { once: isOnce = false, signal } = typeof options === "boolean" ? {} : options;
    if (callback === null || signal?.aborted === true) return;
    const entries = this.#entries.get(type) ?? [];
    if (entries.some((entry) => entry.callback === callback)) return;
    if (signal === undefined) {
      this.#entries.set(type, [...entries, { callback, isOnce }]);
      return;
    }
    const onAbort = (): void => {
      this.removeEventListener(type, callback);
    };
    const forget = (): void => {
      signal.removeEventListener("abort", onAbort);
    };
    this.#entries.set(type, [...entries, { callback, isOnce, forget }]);
    signal.addEventListener("abort", onAbort, { once: true });
  }

  removeEventListener(type: string, callback: Callback | null): void {
    const entries = this.#entries.get(type) ?? [];
    const removed = entries.find((entry) => entry.callback === callback);
    if (removed === undefined) return;
    this.#entries.set(
      type,
      entries.filter((entry) => entry !== removed),
    );
    removed.forget?.();
  }

  /** Whether any function waits for such an event. */
  protected hasListeners(type: string): boolean {
    return (this.#entries.get(type) ?? []).length > 0;
  }

  dispatchEvent(event: Event): boolean {
    event.target = this;
    for (const { callback, isOnce } of this.#entries.get(event.type) ?? []) {
      if (this.#entries.get(event.type)?.some((entry) => entry.callback === callback) !== true) continue;
      if (isOnce) this.removeEventListener(event.type, callback);
      try {
        if (typeof callback === "function") Reflect.apply(callback, this, [event]);
        else callback.handleEvent(event);
      } catch (error) {
        // The others are called all the same.
        nextTick(reportUncaught, error, "uncaughtException");
      }
      if (event.isStopped) break;
    }
    return !event.defaultPrevented;
  }
}
