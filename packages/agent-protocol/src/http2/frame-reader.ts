import { ByteQueue } from "../byte-queue.ts";
import { FRAME_HEADER_BYTES, type Frame } from "./frame.ts";
import { ErrorCode, Http2Error, MAX_FRAME_BYTES, MAX_STREAM_ID, PREFACE } from "./protocol.ts";

/** Cuts a byte stream into frames, whatever its pieces. It holds less than one frame, and that is at most 16 KiB. */
export class Http2FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  readonly #held: ByteQueue = new ByteQueue();
  #expectsPreface: boolean;
  #needed: number;

  /** @param expectsPreface of the client, which begins with it */
  constructor(expectsPreface: boolean, onFrame: (frame: Frame) => void) {
    this.#expectsPreface = expectsPreface;
    this.#needed = expectsPreface ? PREFACE.length : FRAME_HEADER_BYTES;
    this.#onFrame = onFrame;
  }

  /** @throws Http2Error for what is no HTTP/2, and what `onFrame` throws */
  push(chunk: Buffer): void {
    this.#held.push(chunk);
    if (this.#held.length < this.#needed) return;
    let rest = this.#held.takeAll();
    while (rest.length >= this.#needed) rest = this.#expectsPreface ? this.#takePreface(rest) : this.#takeFrame(rest);
    if (rest.length > 0) this.#held.push(rest);
  }

  #takePreface(bytes: Buffer): Buffer {
    if (!bytes.subarray(0, PREFACE.length).equals(PREFACE)) {
      throw new Http2Error(ErrorCode.Protocol, "the connection does not begin with HTTP/2's preface");
    }
    this.#expectsPreface = false;
    this.#needed = FRAME_HEADER_BYTES;
    return bytes.subarray(PREFACE.length);
  }

  /** @returns what comes after the frame; all of it when the frame is not complete */
  #takeFrame(bytes: Buffer): Buffer {
    const length = bytes.readUIntBE(0, 3);
    if (length > MAX_FRAME_BYTES) throw new Http2Error(ErrorCode.FrameSize, `a frame has ${String(length)} bytes`);
    const end = FRAME_HEADER_BYTES + length;
    this.#needed = end;
    if (bytes.length < end) return bytes;
    this.#needed = FRAME_HEADER_BYTES;
    this.#onFrame({
      type: bytes.readUInt8(3),
      flags: bytes.readUInt8(4),
      streamId: bytes.readUInt32BE(5) & MAX_STREAM_ID,
      body: bytes.subarray(FRAME_HEADER_BYTES, end),
    });
    return bytes.subarray(end);
  }
}
