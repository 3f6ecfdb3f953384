import type { Field } from "../../http2/hpack/static-table.ts";
import { ErrorCode, Http2Error } from "../../http2/protocol.ts";
import type { Http2Stream, StreamEvents } from "../../http2/stream.ts";
import { AgentRpcError, RpcStatus } from "../errors.ts";
import { headerOf } from "./headers.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import { MessageCredit } from "./message-credit.ts";
import { type ReadHeader, Reply } from "./reply.ts";

/** An answer before the answer, which says nothing to a gRPC client. */
const INTERIM = /^1\d\d$/;

const STATUS_OF_RESET: ReadonlyMap<number, number> = new Map([
  [ErrorCode.NoError, RpcStatus.Unavailable],
  [ErrorCode.RefusedStream, RpcStatus.Unavailable],
  [ErrorCode.Cancel, RpcStatus.Cancelled],
  [ErrorCode.EnhanceYourCalm, RpcStatus.ResourceExhausted],
]);

/** One call to an agent: reads its reply. */
export class PlacedCall implements StreamEvents {
  /** Rejects with AgentRpcError. */
  readonly reply: Promise<Buffer>;
  readonly #rpc: string;
  readonly #reply: Reply;
  readonly #budget: MemoryBudget;
  readonly #settled: PromiseWithResolvers<Buffer> = Promise.withResolvers();
  #credit: MessageCredit | undefined;
  #hasBegun = false;

  constructor(rpc: string, budget: MemoryBudget) {
    this.#rpc = rpc;
    this.#reply = new Reply(rpc);
    this.#budget = budget;
    this.reply = this.#settled.promise;
  }

  /** To be called with the call's stream before any of its reply is read. */
  begin(stream: Http2Stream): void {
    this.#credit = new MessageCredit(stream, this.#budget);
  }

  onHeaders(fields: readonly Field[], isEnd: boolean): void {
    const header: ReadHeader = (name) => headerOf(fields, name);
    this.#take(isEnd, () => {
      if (this.#hasBegun) this.#reply.ends(header);
      else if (isEnd || !INTERIM.test(header(":status") ?? "")) {
        this.#hasBegun = true;
        this.#reply.begins(header);
      }
    });
  }

  onData(piece: Buffer, isEnd: boolean): void {
    this.#take(isEnd, () => {
      this.#reply.push(piece);
      this.#credit?.expect(this.#reply.expectedBytes);
    });
  }

  onReset(reason: Error): void {
    const code = reason instanceof Http2Error ? reason.reason : ErrorCode.Internal;
    const status = STATUS_OF_RESET.get(code) ?? RpcStatus.Internal;
    const words = status === RpcStatus.Unavailable ? "the connection to the agent was lost" : reason.message;
    this.#settled.reject(new AgentRpcError(status, words, { rpc: this.#rpc, cause: reason }));
  }

  /** The caller waits no longer. */
  end(): void {
    this.#credit?.release();
  }

  #take(isEnd: boolean, part: () => void): void {
    try {
      part();
      if (isEnd) this.#settled.resolve(this.#reply.message());
    } catch (error) {
      this.#settled.reject(error);
    }
  }
}
