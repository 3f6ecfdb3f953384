import { KataError } from "./errors.ts";
import type { Vm } from "./ports/hypervisor.ts";

/** Runs `action` when the signal is aborted, or at once where it is already; until it is disposed. */
export function onAbort(signal: AbortSignal | undefined, action: () => void): Disposable {
  if (signal?.aborted === true) action();
  else signal?.addEventListener("abort", action, { once: true });
  return {
    [Symbol.dispose]: () => {
      signal?.removeEventListener("abort", action);
    },
  };
}

/** Ends a VM when the signal is aborted: whatever waits for its guest then ends with it. */
export function endOnAbort(signal: AbortSignal | undefined, vm: Pick<Vm, "stop">): Disposable {
  return onAbort(signal, () => {
    vm.stop().catch(() => undefined); // The rollback stops it once more, and has its say if that fails.
  });
}

/**
 * Runs an operation that ends early when the signal is aborted, with whatever error that makes.
 *
 * @throws KataError instead of that error: the signal's reason where it is one, or KATA_INTERRUPTED
 */
export async function interruptible<T>(
  what: string,
  signal: AbortSignal | undefined,
  body: () => Promise<T>,
): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (signal?.aborted !== true) throw error;
    if (signal.reason instanceof KataError) throw signal.reason;
    throw new KataError(
      "KATA_INTERRUPTED",
      `${what}: interrupted by ${String(signal.reason)}; all of it is taken back`,
      {
        cause: error,
      },
    );
  }
}
