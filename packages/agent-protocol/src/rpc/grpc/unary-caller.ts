import { ClientConnection } from "../../http2/client-connection.ts";
import type { Field } from "../../http2/hpack/static-table.ts";
import { abortError, type Call, type Caller, withinLimits } from "../caller.ts";
import { AgentRpcError, RpcStatus } from "../errors.ts";
import { type Connect, connectOnce, reach } from "../reach.ts";
import { CONTENT_TYPE } from "./headers.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { grpcMessage } from "./message.ts";
import { formatTimeout } from "./metadata.ts";
import { PlacedCall } from "./placed-call.ts";

/** Of a reply whose size is not known yet. */
const WINDOW_BYTES = 16 * 1024;
/** For replies that are larger than that. */
const BUDGET_BYTES = 32 * 1024 * 1024;

/** Unary gRPC calls over one HTTP/2 connection, which the first call makes. */
export class UnaryCaller implements Caller {
  readonly #connectAgent: Connect;
  readonly #keepsRunning: boolean;
  readonly #budget: MemoryBudget = new MemoryBudget(BUDGET_BYTES);
  /** An agent may announce the end of one and keep it: new calls have another then. */
  readonly #open: Set<ClientConnection> = new Set();
  #shared: Promise<ClientConnection> | undefined;
  #closed = false;

  /** @param keepsRunning whether the open connection keeps this process running */
  constructor(connect: Connect, keepsRunning = true) {
    this.#connectAgent = connect;
    this.#keepsRunning = keepsRunning;
  }

  /** @throws AgentRpcError */
  async call(call: Call): Promise<Uint8Array> {
    const { path, signal } = call;
    if (signal?.aborted === true) throw abortError(path, signal);
    const connection = await this.#connectionFor(call);
    try {
      return await this.#ask(connection, call);
    } catch (error) {
      throw this.#closed ? closedError(path) : error;
    }
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#open) connection.close();
  }

  /** A connection with room for the call. */
  async #connectionFor(call: Call): Promise<ClientConnection> {
    for (;;) {
      const reaching = reach(
        call,
        () => this.#sharedConnection(),
        () => this.#closed,
      );
      const connection = await withinLimits(reaching, call);
      if (connection.isOver || connection.hasRoom) return connection;
      await withinLimits(connection.roomMayHaveChanged(), call);
    }
  }

  async #ask(connection: ClientConnection, call: Call): Promise<Uint8Array> {
    if (connection.isOver) throw lostError(call.path);
    const placed = new PlacedCall(call.path, this.#budget);
    const stream = connection.open(requestHeaders(call), placed);
    placed.begin(stream);
    stream.sendBody(grpcMessage(call.request));
    try {
      return await withinLimits(placed.reply, call);
    } finally {
      stream.reset();
      placed.end();
    }
  }

  #sharedConnection(): Promise<ClientConnection> {
    this.#shared ??= this.#connect();
    return this.#shared;
  }

  #connect(): Promise<ClientConnection> {
    const forget = (): void => {
      if (this.#shared === connecting) this.#shared = undefined;
    };
    const connecting = connectOnce(this.#connectAgent, this.#keepsRunning).then((socket) => {
      const connection = new ClientConnection(socket, {
        window: WINDOW_BYTES,
        onGoAway: forget,
        onEnd: () => {
          forget();
          this.#open.delete(connection);
        },
      });
      this.#open.add(connection);
      if (this.#closed) connection.close();
      return connection;
    });
    connecting.catch(forget);
    return connecting;
  }
}

function requestHeaders({ path, expiresAt }: Call): Field[] {
  const fields: Field[] = [
    [":method", "POST"],
    [":scheme", "http"],
    [":path", path],
    [":authority", "localhost"],
    CONTENT_TYPE,
    ["te", "trailers"],
  ];
  if (expiresAt !== undefined) fields.push(["grpc-timeout", formatTimeout(expiresAt - performance.now())]);
  return fields;
}

function lostError(rpc: string): AgentRpcError {
  return new AgentRpcError(RpcStatus.Unavailable, "the connection to the agent was lost", { rpc });
}

function closedError(rpc: string): AgentRpcError {
  return new AgentRpcError(RpcStatus.Cancelled, "the connection was closed", { rpc });
}
