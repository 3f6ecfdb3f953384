import { type Call, type Caller, withinLimits } from "../caller.ts";
import { type Connect, connectOnce, reach } from "../reach.ts";
import { TtrpcConnection } from "./ttrpc-connection.ts";

export { NotTtrpc } from "./ttrpc-connection.ts";

/**
 * Calls by ttrpc: one connection for all calls that end by themselves, and one for each that may wait for ever, because
 * closing it is how a ttrpc call is taken back.
 */
export class TtrpcCaller implements Caller {
  readonly #connectAgent: Connect;
  readonly #keepsRunning: boolean;
  readonly #connections: Set<TtrpcConnection> = new Set();
  #shared: Promise<TtrpcConnection> | undefined;
  #closed = false;

  /** @param keepsRunning whether open connections keep this process running */
  constructor(connect: Connect, keepsRunning = true) {
    this.#connectAgent = connect;
    this.#keepsRunning = keepsRunning;
  }

  /** @throws NotTtrpc when the other side speaks something else; AgentRpcError */
  async call(call: Call): Promise<Uint8Array> {
    if (call.expiresAt !== undefined) {
      const shared = await withinLimits(
        reach(call, () => this.#sharedConnection(), this.#isClosed),
        call,
      );
      return shared.call(call);
    }
    const own = await withinLimits(
      reach(call, () => this.#connect(), this.#isClosed),
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

  readonly #isClosed = (): boolean => this.#closed;

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
    const connection = new TtrpcConnection(await connectOnce(this.#connectAgent, this.#keepsRunning));
    this.#connections.add(connection);
    void connection.ended.then(() => this.#connections.delete(connection));
    if (this.#closed) connection.close();
    return connection;
  }
}
