import { decodeHeader, type FrameHeader, FrameType, HEADER_BYTES } from "./frame.ts";

/** Receives the parts of frames in wire order. A data frame's body comes in one or more pieces. */
export interface FrameSink {
  header(header: FrameHeader): void;
  body(streamId: number, piece: Buffer): void;
}

/**
 * Cuts a byte stream into frames. Any fragmentation is accepted, and nothing but a header is ever buffered: the pieces
 * of a body are handed on as they arrive, so a hostile length costs no memory.
 */
export class YamuxFrameReader {
  readonly #sink: FrameSink;
  readonly #partialHeader: Buffer = Buffer.alloc(HEADER_BYTES);
  #headerFilled = 0;
  #bodyStream = 0;
  #bodyLeft = 0;
  #framesLeft = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /**
   * @param maxFrames after so many frames the rest of the chunk is left to a later call
   * @returns how many bytes were taken
   * @throws YamuxProtocolError on a header that is not yamux.
   */
  push(chunk: Buffer, maxFrames: number = Number.POSITIVE_INFINITY): number {
    let offset = 0;
    this.#framesLeft = maxFrames;
    while (offset < chunk.length && this.#framesLeft > 0) {
      offset += this.#bodyLeft > 0 ? this.#takeBody(chunk, offset) : this.#takeHeader(chunk, offset);
    }
    return offset;
  }

  #takeBody(chunk: Buffer, offset: number): number {
    const taken = Math.min(this.#bodyLeft, chunk.length - offset);
    this.#bodyLeft -= taken;
    this.#sink.body(this.#bodyStream, chunk.subarray(offset, offset + taken));
    return taken;
  }

  #takeHeader(chunk: Buffer, offset: number): number {
    const taken = Math.min(HEADER_BYTES - this.#headerFilled, chunk.length - offset);
    chunk.copy(this.#partialHeader, this.#headerFilled, offset, offset + taken);
    this.#headerFilled += taken;
    if (this.#headerFilled < HEADER_BYTES) return taken;
    this.#headerFilled = 0;
    this.#framesLeft -= 1;
    const header = decodeHeader(this.#partialHeader);
    if (header.type === FrameType.Data) {
      this.#bodyStream = header.streamId;
      this.#bodyLeft = header.length;
    }
    this.#sink.header(header);
    return taken;
  }
}
