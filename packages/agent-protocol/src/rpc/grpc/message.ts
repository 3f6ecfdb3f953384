import { ByteQueue } from "../../byte-queue.ts";
import { AgentRpcError, RpcStatus } from "../errors.ts";

/** A byte that says whether the message is compressed, and four with its length. */
const PREFIX_BYTES = 5;

/** A message as gRPC sends it. */
export function grpcMessage(message: Uint8Array): Buffer {
  const framed = Buffer.alloc(PREFIX_BYTES + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/**
 * The one message of a call's request or reply. What is held of it is never more than was received, however it is cut, and is bounded.
 */
export class MessageReader {
  readonly #maxBytes: number;
  /** For errors: what the message is. */
  readonly #noun: string;
  readonly #held: ByteQueue = new ByteQueue();
  #length: number | undefined;

  constructor(noun: string, maxBytes: number) {
    this.#noun = noun;
    this.#maxBytes = maxBytes;
  }

  /** How many bytes the message has with its prefix, once its begin has come. */
  get expectedBytes(): number | undefined {
    return this.#length === undefined ? undefined : PREFIX_BYTES + this.#length;
  }

  /** @throws AgentRpcError for a message that is compressed or too long, and for a second one */
  push(piece: Buffer): void {
    this.#held.push(piece);
    if (this.#length === undefined && this.#held.length >= PREFIX_BYTES) this.#readPrefix();
    if (this.#held.length > (this.expectedBytes ?? PREFIX_BYTES)) {
      throw new AgentRpcError(RpcStatus.Internal, `the ${this.#noun} has more than one message`);
    }
  }

  /** Once nothing more comes. @throws AgentRpcError when the message is not whole */
  take(): Buffer {
    const message = this.#held.takeAll();
    if (message.length !== this.expectedBytes) {
      throw new AgentRpcError(RpcStatus.Internal, `the ${this.#noun} has no whole message`);
    }
    return message.subarray(PREFIX_BYTES);
  }

  #readPrefix(): void {
    const begin = this.#held.takeAll();
    const length = begin.readUInt32BE(1);
    if (begin[0] !== 0) {
      throw new AgentRpcError(RpcStatus.Internal, `the ${this.#noun} is compressed, which was not asked for`);
    }
    if (length > this.#maxBytes) {
      const sizes = `(${String(length)} vs. ${String(this.#maxBytes)})`;
      throw new AgentRpcError(RpcStatus.ResourceExhausted, `Received message larger than max ${sizes}`);
    }
    this.#length = length;
    this.#held.push(begin);
  }
}
