import { abortError, type Signal } from "./abort-error.ts";

/** What once() and on() need of an emitter. */
interface Source {
  on(name: string | symbol, listener: (...args: never[]) => unknown): unknown;
  once(name: string | symbol, listener: (...args: never[]) => unknown): unknown;
  removeListener(name: string | symbol, listener: (...args: never[]) => unknown): unknown;
}

interface Target {
  addEventListener(name: string, listener: (event: unknown) => void, options?: { once?: boolean }): void;
  removeEventListener(name: string, listener: (event: unknown) => void): void;
}

interface Options {
  readonly signal?: Signal | undefined;
}

/** The arguments of the next event. @throws what `error` is emitted with before it, AbortError when the signal says so */
export function once(source: Source | Target, name: string | symbol, { signal }: Options = {}): Promise<unknown[]> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortError(signal));
      return;
    }
    const onAbort = (): void => {
      stop();
      reject(abortError(signal));
    };
    const onEvent = (...args: unknown[]): void => {
      stop();
      resolve(args);
    };
    const onError = (error: Error): void => {
      stop();
      reject(error);
    };
    const isTarget = !("once" in source);
    const stop = (): void => {
      signal?.removeEventListener("abort", onAbort);
      if (isTarget) {
        source.removeEventListener(String(name), onEvent);
        return;
      }
      source.removeListener(name, onEvent);
      if (name !== "error") source.removeListener("error", onError);
    };
    if (isTarget) {
      source.addEventListener(String(name), onEvent);
    } else {
      source.once(name, onEvent);
      if (name !== "error") source.once("error", onError);
    }
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** The arguments of each event, from now on, until the signal says so or `error` is emitted. */
export async function* on(
  source: Source,
  name: string | symbol,
  { signal }: Options = {},
): AsyncGenerator<unknown[], void> {
  const arrived: unknown[][] = [];
  let failure: { readonly error: unknown } | undefined;
  let wake: () => void = () => undefined;
  const onEvent = (...args: unknown[]): void => {
    arrived.push(args);
    wake();
  };
  const onError = (error: unknown): void => {
    failure = { error };
    wake();
  };
  const onAbort = (): void => {
    onError(abortError(signal));
  };
  source.on(name, onEvent);
  if (name !== "error") source.on("error", onError);
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    for (;;) {
      for (let args = arrived.shift(); args !== undefined; args = arrived.shift()) yield args;
      if (failure !== undefined) throw failure.error;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    source.removeListener(name, onEvent);
    source.removeListener("error", onError);
    signal?.removeEventListener("abort", onAbort);
  }
}
