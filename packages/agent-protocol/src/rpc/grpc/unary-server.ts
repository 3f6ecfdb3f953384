import type { Duplex } from "node:stream";
import { ServerConnection } from "../../http2/server-connection.ts";
import type { Answer } from "../ttrpc/ttrpc-server.ts";
import { MemoryBudget } from "./memory-budget.ts";
import { ServedCall } from "./served-call.ts";

/** Calls of one connection that are at work at a time. A pod of hundreds of containers has three waiting calls for each. */
const MAX_CALLS = 1024;
/** For requests that are larger than a stream's first window. */
const BUDGET_BYTES = 32 * 1024 * 1024;

/** Serves unary gRPC calls on connections that its caller accepts. */
export class UnaryServer {
  readonly #answer: Answer;
  readonly #connections: Set<ServerConnection> = new Set();

  /** @param answer from a method's path and encoded request to its encoded reply */
  constructor(answer: Answer) {
    this.#answer = answer;
  }

  serve(transport: Duplex): void {
    const budget = new MemoryBudget(BUDGET_BYTES);
    // A call that the client has reset counts for as long as its handler works: opening and resetting costs no more than calling.
    let calls = 0;
    const connection = new ServerConnection(transport, {
      maxStreams: MAX_CALLS,
      onStream: (stream) => {
        if (calls >= MAX_CALLS) return undefined;
        calls += 1;
        return new ServedCall(stream, this.#answer, budget, () => {
          calls -= 1;
        });
      },
      onEnd: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
  }

  /** Ends all connections at once. */
  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}
