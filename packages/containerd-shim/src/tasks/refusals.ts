import { RpcError, RpcStatus } from "@kata-ts/agent-protocol/ttrpc";
import { describeForAdministrators } from "@kata-ts/runtime";

/** Codes of our errors, as the status that makes containerd's clients do the right thing. */
const STATUS: Readonly<Record<string, number>> = {
  KATA_NOT_FOUND: RpcStatus.NotFound,
  KATA_ID_IN_USE: RpcStatus.AlreadyExists,
  KATA_STATE: RpcStatus.FailedPrecondition,
  KATA_CONFIG: RpcStatus.InvalidArgument,
  KATA_UNSUPPORTED: RpcStatus.Unimplemented,
  KATA_SNAPSHOT: RpcStatus.FailedPrecondition,
  KATA_VM_GONE: RpcStatus.Unavailable,
};

/** Any error as what a call is refused with. */
export function refusalOf(error: unknown): RpcError {
  if (error instanceof RpcError && error.rpc === "") return error;
  const { code, hint } =
    typeof error === "object" && error !== null ? (error as { code?: unknown; hint?: unknown }) : {};
  const status = typeof code === "string" ? STATUS[code] : undefined;
  const message = error instanceof Error ? error.message : String(error);
  const whole = describeForAdministrators(message, typeof hint === "string" ? hint : undefined);
  return new RpcError(status ?? RpcStatus.Unknown, whole, { cause: error });
}

export function notFound(what: string): RpcError {
  return new RpcError(RpcStatus.NotFound, `${what}: not found`);
}

export function alreadyExists(what: string): RpcError {
  return new RpcError(RpcStatus.AlreadyExists, `${what} already exists`);
}

/** @param message what is not waited for any longer */
export function tooLate(message: string): RpcError {
  return new RpcError(RpcStatus.DeadlineExceeded, `${message} (end its container, or try again later)`);
}

export function wrongState(message: string): RpcError {
  return new RpcError(RpcStatus.FailedPrecondition, message);
}
