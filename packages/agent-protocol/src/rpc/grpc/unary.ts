import type { ClientHttp2Stream, IncomingHttpHeaders, IncomingHttpStatusHeader } from "node:http2";
import { ByteQueue } from "../../byte-queue.ts";
import { MAX_REPLY_BYTES } from "../caller.ts";
import { AgentRpcError, RpcStatus } from "../errors.ts";

/** A byte that tells whether the message is compressed, and four with its length. */
const PREFIX_BYTES = 5;
const OK = 200;

type Headers = IncomingHttpHeaders & IncomingHttpStatusHeader;

/** A message as gRPC sends it. */
export function grpcMessage(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(PREFIX_BYTES + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/** How long the caller waits, for the agent to give up by then, too. */
export function grpcTimeout(expiresAt: number | undefined): Record<string, string> {
  if (expiresAt === undefined) return {};
  return { "grpc-timeout": `${String(Math.max(1, Math.round(expiresAt - performance.now())))}m` };
}

/**
 * The one message that a call is answered with. What is held of it is never more than was received, however it is cut, and
 * is bounded.
 *
 * @throws AgentRpcError
 */
export function replyOf(stream: ClientHttp2Stream, rpc: string): Promise<Buffer> {
  const reply = new Reply(rpc);
  return new Promise((resolve, reject) => {
    const take = (part: () => void): void => {
      try {
        part();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        stream.destroy();
      }
    };
    stream.on("response", (headers) => {
      take(() => {
        reply.begins(headers);
      });
    });
    stream.on("trailers", (headers: Headers) => {
      take(() => {
        reply.ends(headers);
      });
    });
    stream.on("data", (chunk: Buffer) => {
      take(() => {
        reply.push(chunk);
      });
    });
    stream.once("close", () => {
      take(() => {
        resolve(reply.message());
      });
    });
  });
}

class Reply {
  readonly #rpc: string;
  readonly #held: ByteQueue = new ByteQueue();
  #length: number | undefined;
  #status: number | undefined;
  #words = "";

  constructor(rpc: string) {
    this.#rpc = rpc;
  }

  /** An answer without a message has its status here. */
  begins(headers: Headers): void {
    const status = headers[":status"];
    if (status !== OK) throw this.#error(RpcStatus.Unknown, `the agent answers with HTTP status ${String(status)}`);
    if (headers["grpc-status"] !== undefined) this.ends(headers);
  }

  ends(headers: Headers): void {
    const status = Number(headers["grpc-status"] ?? RpcStatus.Unknown);
    this.#status = Number.isInteger(status) && status >= 0 ? status : RpcStatus.Unknown;
    this.#words = unescaped(String(headers["grpc-message"] ?? ""));
  }

  push(chunk: Buffer): void {
    this.#held.push(chunk);
    if (this.#length === undefined && this.#held.length >= PREFIX_BYTES) this.#readPrefix();
    if (this.#held.length > PREFIX_BYTES + (this.#length ?? 0)) {
      throw this.#error(RpcStatus.Internal, "the reply has more than one message");
    }
  }

  /** Once the stream is over. */
  message(): Buffer {
    if (this.#status === undefined) throw this.#error(RpcStatus.Unavailable, "the connection to the agent was lost");
    if (this.#status !== RpcStatus.Ok) throw this.#error(this.#status, this.#words);
    const message = this.#held.takeAll();
    if (this.#length === undefined || message.length < PREFIX_BYTES + this.#length) {
      throw this.#error(RpcStatus.Internal, "the reply has no whole message");
    }
    return message.subarray(PREFIX_BYTES);
  }

  #readPrefix(): void {
    const begin = this.#held.takeAll();
    const length = begin.readUInt32BE(1);
    if (begin[0] !== 0) throw this.#error(RpcStatus.Internal, "the reply is compressed, which was not asked for");
    if (length > MAX_REPLY_BYTES) {
      const sizes = `(${String(length)} vs. ${String(MAX_REPLY_BYTES)})`;
      throw this.#error(RpcStatus.ResourceExhausted, `Received message larger than max ${sizes}`);
    }
    this.#length = length;
    this.#held.push(begin);
  }

  #error(status: number, words: string): AgentRpcError {
    return new AgentRpcError(status, words, { rpc: this.#rpc });
  }
}

/** gRPC writes what is not ASCII as URLs do. */
function unescaped(words: string): string {
  try {
    return decodeURIComponent(words);
  } catch {
    return words;
  }
}
