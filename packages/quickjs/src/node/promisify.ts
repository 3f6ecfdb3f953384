type Callback = (error: Error | null | undefined, value?: unknown) => void;

const custom: unique symbol = Symbol.for("nodejs.util.promisify.custom") as never;

interface Promisify {
  (original: ((...args: never[]) => unknown) & { [custom]?: unknown }): (...args: unknown[]) => Promise<unknown>;
  readonly custom: symbol;
}

function promisifyFunction(original: ((...args: never[]) => unknown) & { [custom]?: unknown }): unknown {
  const own = original[custom];
  if (own !== undefined) return own;
  return function promisified(this: unknown, ...args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const done: Callback = (error, value) => {
        if (error === null || error === undefined) resolve(value);
        else reject(error);
      };
      Reflect.apply(original, this, [...args, done]);
    });
  };
}

/** A function with a callback as one that gives a promise. */
export const promisify: Promisify = Object.assign(promisifyFunction, { custom }) as unknown as Promisify;
