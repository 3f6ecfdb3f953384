import { AgentRpcError, RpcStatus } from "./errors.ts";

/** One call, with its request encoded. */
export interface Call {
  /** For example `/grpc.AgentService/CreateSandbox`. */
  readonly path: string;
  readonly request: Uint8Array;
  /** When the caller stops waiting, in performance.now()'s milliseconds; undefined for never. */
  readonly expiresAt: number | undefined;
  /** Milliseconds that the agent may be silent meanwhile, even to a check; undefined for as long as the call waits. */
  readonly silenceMs?: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** Wait for a channel that is not there yet instead of failing at once. */
  readonly waitForReady: boolean;
}

/** What carries calls to an agent. */
export interface Caller {
  /** @returns the encoded reply @throws AgentRpcError */
  call(call: Call): Promise<Uint8Array>;
  /** Calls in flight reject. */
  close(): void;
}

/** Replies are refused above this size: the guest does not decide how much memory the host gives it. */
export const MAX_REPLY_BYTES: number = 4 * 1024 * 1024;
export const MAX_REQUEST_BYTES: number = 4 * 1024 * 1024;

/**
 * Waits for work no longer than the call does.
 *
 * @throws AgentRpcError DeadlineExceeded, Cancelled; whatever `work` rejects with
 */
export function withinLimits<T>(work: Promise<T>, { path, expiresAt, signal }: Call): Promise<T> {
  if (signal?.aborted === true) {
    work.catch(() => undefined);
    return Promise.reject(abortError(path, signal));
  }
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const onAbort = (): void => {
    if (signal !== undefined) reject(abortError(path, signal));
  };
  const onDeadline = (): void => {
    reject(new AgentRpcError(RpcStatus.DeadlineExceeded, "Deadline exceeded", { rpc: path }));
  };
  const timer = expiresAt === undefined ? undefined : setTimeout(onDeadline, expiresAt - performance.now());
  signal?.addEventListener("abort", onAbort, { once: true });
  work.then(resolve, reject);
  return promise.finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  });
}

export function abortError(path: string, signal: AbortSignal): AgentRpcError {
  return new AgentRpcError(RpcStatus.Cancelled, "the call was aborted", { rpc: path, cause: signal.reason });
}
