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

/** Makes a new connection to one agent. */
export type Connect = () => Promise<Socket>;

/** @param keepsRunning whether the connection keeps this process running, once it is made */
export async function connectOnce(connect: Connect, keepsRunning: boolean): Promise<Socket> {
  const socket = await connect();
  socket.allowHalfOpen = false;
  if (!keepsRunning) socket.unref();
  return socket;
}

/** Makes connections to a unix socket. @param url `unix:///path` @throws TypeError for another one */
export function unixSocket(url: string): Connect {
  const { protocol, pathname } = new URL(url);
  if (protocol !== "unix:") throw new TypeError(`${url} is no unix socket: ConnectOptions.dial is needed to reach it`);
  return () =>
    new Promise((resolve, reject) => {
      const socket = connect(pathname);
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(socket);
      });
    });
}
