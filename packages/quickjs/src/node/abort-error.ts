import { nodeError } from "./errors.ts";

/** What an operation of Node's rejects with when its signal says so. */
export function abortError(signal: { readonly reason?: unknown } | undefined): Error {
  const error = nodeError("ABORT_ERR", "The operation was aborted", Error, signal?.reason);
  return Object.defineProperty(error, "name", { value: "AbortError", configurable: true, writable: true });
}

/** What is listened to of an AbortSignal. */
export interface Signal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(name: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(name: "abort", listener: () => void): void;
}
