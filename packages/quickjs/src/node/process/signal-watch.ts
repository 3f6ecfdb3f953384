import { ERRORS } from "../errno.ts";
import { unwatchSignal, watchSignal } from "./signals.ts";

type Created = (resource: SignalWatch) => void;

/** Called for each one that is made: see async-hooks.ts. */
export const onCreated: Set<Created> = new Set();

const LAST_SIGNAL = 64;
const SIGKILL = 9;
const SIGSTOP = 19;

/** What Node makes for each signal that is listened to, and what `packages/linux` takes for signals without a name. */
export class SignalWatch {
  onsignal: ((signal: number) => void) | undefined;
  #signal = 0;
  readonly #handler = (signal: number): void => {
    this.onsignal?.(signal);
  };

  constructor() {
    for (const created of onCreated) created(this);
  }

  /** @returns 0, or a negative error */
  start(signal: number): number {
    if (signal < 1 || signal > LAST_SIGNAL || signal === SIGKILL || signal === SIGSTOP) return -ERRORS.EINVAL[0];
    this.#signal = signal;
    watchSignal(signal, this.#handler);
    return 0;
  }

  close(): void {
    unwatchSignal(this.#signal, this.#handler);
  }

  /** No signal keeps a program running. */
  unref(): void {
    // There is nothing to be undone.
  }
}
