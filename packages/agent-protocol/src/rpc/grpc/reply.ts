import { MAX_REPLY_BYTES } from "../caller.ts";
import { AgentRpcError, RpcStatus } from "../errors.ts";
import { MessageReader } from "./message.ts";
import { unescapeMessage } from "./metadata.ts";

const OK = "200";

/** Header fields that a reply's reader asks for, by name. */
export type ReadHeader = (name: ":status" | "grpc-status" | "grpc-message") => string | undefined;

/** The one message that a call is answered with, and the status behind it. */
export class Reply {
  readonly #rpc: string;
  readonly #message: MessageReader = new MessageReader("reply", MAX_REPLY_BYTES);
  #status: number | undefined;
  #words = "";

  constructor(rpc: string) {
    this.#rpc = rpc;
  }

  /** How many bytes of data the message takes, once its begin has come. */
  get expectedBytes(): number | undefined {
    return this.#message.expectedBytes;
  }

  /** An answer without a message has its status here. @throws AgentRpcError */
  begins(header: ReadHeader): void {
    const status = header(":status");
    if (status !== OK) throw this.#error(RpcStatus.Unknown, `the agent answers with HTTP status ${String(status)}`);
    if (header("grpc-status") !== undefined) this.ends(header);
  }

  ends(header: ReadHeader): void {
    const status = Number(header("grpc-status") ?? RpcStatus.Unknown);
    this.#status = Number.isInteger(status) && status >= 0 ? status : RpcStatus.Unknown;
    this.#words = unescapeMessage(header("grpc-message") ?? "");
  }

  /** @throws AgentRpcError */
  push(piece: Buffer): void {
    this.#named(() => {
      this.#message.push(piece);
    });
  }

  /** Once the stream is over. @throws AgentRpcError */
  message(): Buffer {
    if (this.#status === undefined) throw this.#error(RpcStatus.Unavailable, "the connection to the agent was lost");
    if (this.#status !== RpcStatus.Ok) throw this.#error(this.#status, this.#words);
    return this.#named(() => this.#message.take());
  }

  #named<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw error instanceof AgentRpcError ? this.#error(error.status, error.message) : error;
    }
  }

  #error(status: number, words: string): AgentRpcError {
    return new AgentRpcError(status, words, { rpc: this.#rpc });
  }
}
