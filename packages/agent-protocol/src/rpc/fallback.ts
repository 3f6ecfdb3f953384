import { AgentRpcError, RpcStatus } from "./errors.ts";

/** True for what an agent answers to an RPC that it does not have: a 1.x agent to all of ours. */
function isUnimplemented(error: unknown): boolean {
  return error instanceof AgentRpcError && error.status === RpcStatus.Unimplemented;
}

/** Calls an RPC of ours, and what the 1.x contract has instead where the agent does not know it. */
export async function withFallback<T>(ours: Promise<T>, contract: () => Promise<T>): Promise<T> {
  try {
    return await ours;
  } catch (error) {
    if (!isUnimplemented(error)) throw error;
    return contract();
  }
}
