import { connect, type Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { type Call, type Caller, withinLimits } from "../caller.ts";
import { AgentRpcError, RpcStatus } from "../errors.ts";
import { TtrpcConnection } from "./ttrpc-connection.ts";

export { NotTtrpc } from "./ttrpc-connection.ts";

/** Between two attempts to reach a socket that is not there yet. */
const RETRY_MS = 10;

/**
 * Calls by ttrpc: one connection for all calls that end by themselves, and one for each that may wait for ever, because
 * closing it is how a ttrpc call is taken back.
 */
export class TtrpcCaller implements Caller {
  readonly #path: string;
  readonly #connections: Set<TtrpcConnection> = new Set();
  #shared: Promise<TtrpcConnection> | undefined;
  #closed = false;

  /** @param path of a unix socket */
  constructor(path: string) {
    this.#path = path;
  }

  /** @throws NotTtrpc when the other side speaks something else; AgentRpcError */
  async call(call: Call): Promise<Uint8Array> {
    if (call.expiresAt !== undefined) {
      const shared = await withinLimits(
        this.#reach(call, () => this.#sharedConnection()),
        call,
      );
      return shared.call(call);
    }
    const own = await withinLimits(
      this.#reach(call, () => this.#connect()),
      call,
    );
    try {
      return await own.call(call);
    } finally {
      own.close();
    }
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#connections) connection.close();
  }

  /** Each call tries for as long as it waits itself, whoever else waits for the same connection. */
  async #reach(
    { path, waitForReady, expiresAt = Number.POSITIVE_INFINITY, signal }: Call,
    connection: () => Promise<TtrpcConnection>,
  ): Promise<TtrpcConnection> {
    for (;;) {
      try {
        return await connection();
      } catch (error) {
        const over = performance.now() > expiresAt || signal?.aborted === true || this.#closed;
        if (!waitForReady || over) {
          const status = waitForReady ? RpcStatus.DeadlineExceeded : RpcStatus.Unavailable;
          const { message } = error as Error;
          throw new AgentRpcError(status, `no connection to the agent: ${message}`, { rpc: path, cause: error });
        }
      }
      await delay(RETRY_MS);
    }
  }

  #sharedConnection(): Promise<TtrpcConnection> {
    if (this.#shared === undefined) {
      const forget = (): void => {
        this.#shared = undefined;
      };
      this.#shared = this.#connect();
      this.#shared.then((connection) => void connection.ended.then(forget), forget);
    }
    return this.#shared;
  }

  async #connect(): Promise<TtrpcConnection> {
    const connection = new TtrpcConnection(await connectOnce(this.#path));
    this.#connections.add(connection);
    void connection.ended.then(() => this.#connections.delete(connection));
    if (this.#closed) connection.close();
    return connection;
  }
}

function connectOnce(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
