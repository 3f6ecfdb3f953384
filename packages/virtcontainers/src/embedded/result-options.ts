import type { LimitOptions } from "./limit.ts";

/**
 * A limit that is reached kills the process and all that it has started; the result then says so. `timeoutMs` counts from the
 * start of the process.
 */
export interface ResultOptions extends LimitOptions {
  /** What it reads from its standard input; nothing by default. */
  readonly input?: string | Uint8Array | undefined;
  /** How many bytes of each output are kept; 16 MiB by default. The rest is read and dropped. */
  readonly maxBytes?: number | undefined;
}

/** What of a call's options is about the result. */
export function resultOptionsOf({ input, maxBytes, signal, timeoutMs }: ResultOptions): ResultOptions {
  return { input, maxBytes, signal, timeoutMs };
}
