import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { Call } from "./caller.ts";
import { AgentRpcError, RpcStatus } from "./errors.ts";

/** Between two attempts to reach a socket that is not there yet. */
const RETRY_MS = 10;

/**
 * Each call tries until its own deadline, also where other calls wait for the same connection.
 *
 * @param isClosed the caller of all calls was closed
 * @throws AgentRpcError Unavailable, DeadlineExceeded
 */
export async function reach<Connection>(
  { path, waitForReady, expiresAt = Number.POSITIVE_INFINITY, signal }: Call,
  connection: () => Promise<Connection>,
  isClosed: () => boolean,
): Promise<Connection> {
  for (;;) {
    try {
      return await connection();
    } catch (error) {
      const over = performance.now() > expiresAt || signal?.aborted === true || isClosed();
      if (!waitForReady || over) {
        const status = waitForReady ? RpcStatus.DeadlineExceeded : RpcStatus.Unavailable;
        const { message } = error as Error;
        throw new AgentRpcError(status, `no connection to the agent: ${message}`, { rpc: path, cause: error });
      }
    }
    await delay(RETRY_MS);
  }
}

/** @param path of a unix socket; @param keepsRunning whether the connection keeps this process running, once it is made */
export function connectOnce(path: string, keepsRunning: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      if (!keepsRunning) socket.unref();
      resolve(socket);
    });
  });
}
