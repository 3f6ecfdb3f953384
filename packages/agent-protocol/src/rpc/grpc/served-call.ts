import type { Field } from "../../http2/hpack/static-table.ts";
import { ErrorCode } from "../../http2/protocol.ts";
import type { Http2Stream, StreamEvents } from "../../http2/stream.ts";
import { MAX_REPLY_BYTES, MAX_REQUEST_BYTES } from "../caller.ts";
import { AgentRpcError, RpcStatus } from "../errors.ts";
import type { Answer } from "../ttrpc/ttrpc-server.ts";
import { CONTENT_TYPE, headerOf } from "./headers.ts";
import type { MemoryBudget } from "./memory-budget.ts";
import { grpcMessage, MessageReader } from "./message.ts";
import { MessageCredit } from "./message-credit.ts";
import { escapeMessage, parseTimeout } from "./metadata.ts";

/** The longest that a timer can wait; a caller that waits for longer waits for ever. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const METHOD_NOT_ALLOWED = "405";
const UNSUPPORTED_MEDIA_TYPE = "415";

/** One call to a server: reads the request, has it answered, and sends the reply. */
export class ServedCall implements StreamEvents {
  readonly #stream: Http2Stream;
  readonly #answer: Answer;
  readonly #onSettled: () => void;
  readonly #abort: AbortController = new AbortController();
  readonly #request: MessageReader = new MessageReader("request", MAX_REQUEST_BYTES);
  readonly #credit: MessageCredit;
  #path: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isRunning = false;
  #isDone = false;

  /** @param onSettled called once, when nothing works for this call any more */
  constructor(stream: Http2Stream, answer: Answer, budget: MemoryBudget, onSettled: () => void) {
    this.#stream = stream;
    this.#answer = answer;
    this.#credit = new MessageCredit(stream, budget);
    this.#onSettled = onSettled;
  }

  onHeaders(fields: readonly Field[], isEnd: boolean): void {
    this.#take(isEnd, () => {
      if (this.#path === undefined) this.#begin(fields);
    });
  }

  onData(piece: Buffer, isEnd: boolean): void {
    this.#take(isEnd, () => {
      this.#request.push(piece);
      this.#credit.expect(this.#request.expectedBytes);
    });
  }

  onReset(): void {
    this.#finish();
  }

  #take(isEnd: boolean, part: () => void): void {
    if (this.#isDone) return;
    try {
      part();
      if (isEnd) this.#run();
    } catch (error) {
      this.#refuse(error);
    }
  }

  #begin(fields: readonly Field[]): void {
    if (headerOf(fields, ":method") !== "POST") {
      this.#end([[":status", METHOD_NOT_ALLOWED]]);
      return;
    }
    if (headerOf(fields, "content-type")?.startsWith("application/grpc") !== true) {
      this.#end([[":status", UNSUPPORTED_MEDIA_TYPE]]);
      return;
    }
    this.#path = headerOf(fields, ":path") ?? "";
    const timeout = parseTimeout(headerOf(fields, "grpc-timeout"));
    if (timeout === undefined || timeout > MAX_TIMER_MS) return;
    this.#timer = setTimeout(() => {
      this.#refuse(new AgentRpcError(RpcStatus.DeadlineExceeded, "Deadline exceeded"));
    }, timeout);
  }

  #run(): void {
    if (this.#isDone) return; // It was refused by its headers.
    const request = this.#request.take();
    this.#isRunning = true;
    this.#credit.release();
    void this.#settle(request);
  }

  async #settle(request: Buffer): Promise<void> {
    try {
      this.#reply(await this.#answer(this.#path ?? "", request, this.#abort.signal));
    } catch (error) {
      this.#refuse(error);
    }
    this.#onSettled();
  }

  #reply(reply: Uint8Array): void {
    if (this.#isDone) return;
    if (reply.length > MAX_REPLY_BYTES) {
      throw new AgentRpcError(RpcStatus.ResourceExhausted, `the reply has ${String(reply.length)} bytes`);
    }
    this.#stream.sendHeaders([[":status", "200"], CONTENT_TYPE], false);
    this.#stream.sendBody(grpcMessage(reply), [["grpc-status", String(RpcStatus.Ok)]]);
    this.#finish();
  }

  #refuse(error: unknown): void {
    const status = error instanceof AgentRpcError ? error.status : RpcStatus.Internal;
    const words = error instanceof Error ? error.message : String(error);
    const trailers: Field[] = [
      ["grpc-status", String(status)],
      ["grpc-message", escapeMessage(words)],
    ];
    this.#end([[":status", "200"], CONTENT_TYPE, ...trailers]);
  }

  /** Answers by headers alone. */
  #end(fields: readonly Field[]): void {
    if (this.#isDone) return;
    this.#stream.sendHeaders(fields, true);
    this.#stream.reset(ErrorCode.NoError); // The rest of a request that is refused early is not wanted.
    this.#finish();
  }

  #finish(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    clearTimeout(this.#timer);
    this.#credit.release();
    this.#abort.abort();
    if (!this.#isRunning) this.#onSettled();
  }
}
