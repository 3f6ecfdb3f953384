import { AgentRpcError, type CallOptions, RpcStatus } from "@kata-ts/agent-protocol";
import { reasonOf } from "../errors.ts";

/** A healthy guest may have much to write back; for a guest that hangs this is the limit. */
const LIMITS: CallOptions = { deadlineMs: 60_000, silenceMs: 5_000 };

/** A guest that has died, or knows of no such container, has nothing to write back. */
const LOSSES: ReadonlySet<number> = new Set([RpcStatus.DeadlineExceeded, RpcStatus.Internal]);

/**
 * Asks a guest to end what it has and to write it to its disks. Without an answer all goes on: it is to go.
 *
 * @param what is asked to be ended, as a warning names it
 */
export async function askToFlush(
  what: string,
  ask: (limits: CallOptions) => Promise<unknown>,
  warn: (message: string) => void,
): Promise<void> {
  try {
    await ask(LIMITS);
  } catch (error) {
    if (!(error instanceof AgentRpcError) || !LOSSES.has(error.status)) return;
    warn(
      `${what} was not ended in order, and what it had not yet written to its disks may be lost: ${reasonOf(error)}`,
    );
  }
}
