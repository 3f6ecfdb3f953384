import { AgentRpcError, RpcStatus } from "@kata-ts/agent-protocol";

/** The statuses and wordings of the Kata 1.x agent: engines and tests read them. */
export function containerNotFound(id: string): AgentRpcError {
  return new AgentRpcError(RpcStatus.NotFound, `Container ${id} not found`);
}

export function processNotFound(execId: string, containerId: string): AgentRpcError {
  return new AgentRpcError(RpcStatus.NotFound, `Process ${execId} not found (container ${containerId})`);
}

export function failedPrecondition(message: string): AgentRpcError {
  return new AgentRpcError(RpcStatus.FailedPrecondition, message);
}

export function alreadyExists(message: string): AgentRpcError {
  return new AgentRpcError(RpcStatus.AlreadyExists, message);
}

export function invalidArgument(message: string): AgentRpcError {
  return new AgentRpcError(RpcStatus.InvalidArgument, message);
}

export function internal(message: string): AgentRpcError {
  return new AgentRpcError(RpcStatus.Internal, message);
}

export function cancelled(): AgentRpcError {
  return new AgentRpcError(RpcStatus.Cancelled, "the caller went away");
}
