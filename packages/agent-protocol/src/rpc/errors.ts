/** The gRPC status codes that the contract uses; the numbers are gRPC's. */
export const RpcStatus = {
  Ok: 0,
  Cancelled: 1,
  Unknown: 2,
  InvalidArgument: 3,
  DeadlineExceeded: 4,
  NotFound: 5,
  AlreadyExists: 6,
  ResourceExhausted: 8,
  FailedPrecondition: 9,
  OutOfRange: 11,
  Unimplemented: 12,
  Internal: 13,
  Unavailable: 14,
} as const;

/**
 * An RPC that the agent refused, or that never reached it. Thrown by the client; thrown inside a handler, the server
 * sends its status and message as they are.
 */
export class AgentRpcError extends Error {
  override readonly name = "AgentRpcError";
  readonly code = "KATA_AGENT_RPC";
  readonly status: number;
  /** The RPC's path, such as `/grpc.AgentService/StartContainer`; empty when thrown by a handler. */
  readonly rpc: string;

  constructor(status: number, message: string, options: ErrorOptions & { readonly rpc?: string } = {}) {
    super(message, options);
    this.status = status;
    this.rpc = options.rpc ?? "";
  }
}

/** What ReadStdout and ReadStderr answer after the last byte. */
export function endOfStream(): AgentRpcError {
  return new AgentRpcError(RpcStatus.OutOfRange, "EOF");
}

/** Agents before 1.3.0 and ours send OUT_OF_RANGE, later ones UNKNOWN: both say `EOF`. */
export function isEndOfStream(error: unknown): boolean {
  return (
    error instanceof AgentRpcError &&
    error.message === "EOF" &&
    (error.status === RpcStatus.OutOfRange || error.status === RpcStatus.Unknown)
  );
}
