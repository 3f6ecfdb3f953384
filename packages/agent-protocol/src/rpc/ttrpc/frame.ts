import { ByteQueue } from "../../byte-queue.ts";
import { RpcStatus } from "../errors.ts";

/**
 * ttrpc's frames: a header of ten bytes, big-endian, and one message. PROTOCOL.md draws them; containerd's ttrpc is
 * where they come from.
 */
export interface Frame {
  readonly streamId: number;
  readonly type: number;
  readonly message: Buffer;
}

export const MessageType = { Request: 1, Response: 2 } as const;

const HEADER_BYTES = 10;

/** Thrown for bytes that are not ttrpc, or too many; the connection is of no use then. */
export class TtrpcProtocolError extends Error {
  readonly code = "KATA_TTRPC_PROTOCOL";
  override readonly name = "TtrpcProtocolError";
  /** What calls that it takes with it end with: an RpcStatus. */
  readonly status: number;

  constructor(message: string, status: number = RpcStatus.Internal) {
    super(message);
    this.status = status;
  }
}

export function encodeFrame(streamId: number, type: number, message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + message.length);
  frame.writeUInt32BE(message.length, 0);
  frame.writeUInt32BE(streamId, 4);
  frame.writeUInt8(type, 8);
  frame.writeUInt8(0, 9); // flags: streaming calls only
  frame.set(message, HEADER_BYTES);
  return frame;
}

/** Whether a connection that begins so speaks ttrpc: a message's length never fills its first byte. */
export function beginsLikeTtrpc(head: Buffer): boolean {
  return head[0] === 0;
}

/** Cuts a byte stream into frames, whatever its pieces. What is held is never more than was received of one message. */
export class TtrpcFrameReader {
  readonly #maxBytes: number;
  readonly #onFrame: (frame: Frame) => void;
  readonly #held: ByteQueue = new ByteQueue();
  #needed = HEADER_BYTES;

  /** @param maxBytes of one message */
  constructor(maxBytes: number, onFrame: (frame: Frame) => void) {
    this.#maxBytes = maxBytes;
    this.#onFrame = onFrame;
  }

  /** @throws TtrpcProtocolError for a message above the limit */
  push(chunk: Buffer): void {
    this.#held.push(chunk);
    if (this.#held.length < this.#needed) return;
    let rest = this.#held.takeAll();
    while (rest.length >= this.#needed) rest = this.#takeFrame(rest);
    if (rest.length > 0) this.#held.push(rest);
  }

  /** @returns what comes after the frame; all of it when the frame is not complete */
  #takeFrame(bytes: Buffer): Buffer {
    const length = bytes.readUInt32BE(0);
    if (length > this.#maxBytes) {
      const sizes = `${String(length)} bytes, and the limit is ${String(this.#maxBytes)}`;
      throw new TtrpcProtocolError(`a message has ${sizes}`, RpcStatus.ResourceExhausted);
    }
    const end = HEADER_BYTES + length;
    this.#needed = end;
    if (bytes.length < end) return bytes;
    this.#needed = HEADER_BYTES;
    this.#onFrame({
      streamId: bytes.readUInt32BE(4),
      type: bytes.readUInt8(8),
      message: bytes.subarray(HEADER_BYTES, end),
    });
    return bytes.subarray(end);
  }
}
