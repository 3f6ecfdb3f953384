import { abortError, type Signal } from "./abort-error.ts";
import {
  clearImmediate,
  clearTimeout,
  setImmediate as startImmediate,
  setTimeout as startTimeout,
} from "./loop/timers.ts";

interface Options {
  readonly signal?: Signal | undefined;
  /** Whether the program goes on for its sake. */
  readonly ref?: boolean;
}

export function setTimeout<T = void>(delay?: number, value?: T, options: Options = {}): Promise<T> {
  return settle(value, options, (done) => {
    const timer = startTimeout(done, delay);
    if (options.ref === false) timer.unref();
    return () => {
      clearTimeout(timer);
    };
  });
}

export function setImmediate<T = void>(value?: T, options: Options = {}): Promise<T> {
  return settle(value, options, (done) => {
    const immediate = startImmediate(done);
    if (options.ref === false) immediate.unref();
    return () => {
      clearImmediate(immediate);
    };
  });
}

function settle<T>(value: T | undefined, { signal }: Options, start: (done: () => void) => () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortError(signal));
      return;
    }
    const onAbort = (): void => {
      stop();
      reject(abortError(signal));
    };
    const stop = start(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve(value as T);
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
