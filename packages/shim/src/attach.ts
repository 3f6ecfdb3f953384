import type { Readable, Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { type AgentClient, AgentRpcError, RpcStatus } from "@kata-ts/agent-protocol";
import type { HostStdio } from "./host-stdio.ts";
import { openProcessStreams, type ProcessAddress, waitForProcess } from "./process-streams.ts";

const SIGPIPE = 13;

/**
 * Connects a guest process's streams to ours until the process is over. The status is told only after both outputs
 * have been delivered to the last byte.
 *
 * @returns the exit status, or 128 + signal
 * @throws AgentRpcError when the guest is lost before the process ended
 */
export async function attach(agent: AgentClient, address: ProcessAddress, stdio: HostStdio): Promise<number> {
  const streams = openProcessStreams(agent, address);
  void feed(stdio.stdin, streams.stdin);
  await Promise.all([
    deliver(streams.stdout, stdio.stdout, () => brokenPipe(agent, address)),
    deliver(streams.stderr, stdio.stderr, () => brokenPipe(agent, address)),
  ]);
  return waitForProcess(agent, address);
}

// The process may close its input, or end, at any time; that is not an error of ours.
async function feed(from: Readable, to: Writable): Promise<void> {
  await pipeline(from, to).catch(() => undefined);
}

/** A reader that goes away is told to the process as SIGPIPE, and the rest of its output is dropped. */
async function deliver(from: Readable, to: Writable, onReaderGone: () => Promise<void>): Promise<void> {
  to.once("error", () => {
    to.on("error", () => undefined);
    void onReaderGone();
    from.unpipe(to);
    from.resume();
  });
  from.pipe(to);
  await finished(from);
  await finished(to).catch(() => undefined); // A reader that is gone was told already.
}

async function brokenPipe(agent: AgentClient, address: ProcessAddress): Promise<void> {
  await forwardSignal(agent, address, SIGPIPE);
}

/** Sends a signal to a guest process. One that is over counts as signalled. */
export async function forwardSignal(agent: AgentClient, address: ProcessAddress, signal: number): Promise<void> {
  try {
    await agent.signalProcess({ container_id: address.containerId, exec_id: address.execId, signal });
  } catch (error) {
    const over =
      error instanceof AgentRpcError && (error.status === RpcStatus.NotFound || error.status === RpcStatus.Unavailable);
    if (!over) throw error;
  }
}
