/**
 * The frames of a process stream: a header of four bytes (kind, then the body's length in 24 bits, big-endian) and a
 * body. PROTOCOL.md draws them.
 */
const HEADER_BYTES = 4;

/** Kinds below 3 carry data: the kind is the descriptor's number, and an empty body is its end. */
export const Kind = {
  stdin: 0x00,
  stdout: 0x01,
  stderr: 0x02,
  /** Plus the descriptor's number: so many bytes more may be sent. */
  credit: 0x10,
  /** Plus the descriptor's number: its reader has closed, send no more. */
  stop: 0x20,
  resize: 0x30,
  signal: 0x31,
  hangUp: 0x32,
  detach: 0x33,
  killSession: 0x34,
  attached: 0x40,
  exit: 0x41,
  cause: 0x42,
} as const;

export type Descriptor = 0 | 1 | 2;

/** How a process came to its end, by its number in the frame `cause`. */
export const CAUSES = { 1: "exited", 2: "signalled", 3: "outOfMemory" } as const;

/** It exited by itself, a signal killed it, or the kernel did because its container had no memory left. */
export type EndCause = (typeof CAUSES)[keyof typeof CAUSES];

/** Bodies of data frames are at most this; those of all others at most CONTROL_BYTES. */
export const MAX_DATA_BYTES: number = 1024 * 1024;
const CONTROL_BYTES = 64;
const NOTHING: Buffer = Buffer.alloc(0);

/** The peer does not keep to PROTOCOL.md. */
export class ProcessStreamError extends Error {
  readonly code = "KATA_PROCESS_STREAM";
  override readonly name = "ProcessStreamError";
}

export function encodeHeader(kind: number, length: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt8(kind, 0);
  header.writeUIntBE(length, 1, 3);
  return header;
}

export interface FrameHandlers {
  /** A piece of a data frame's body. */
  data(descriptor: Descriptor, piece: Buffer): void;
  /** An empty data frame. */
  end(descriptor: Descriptor): void;
  /** Any other frame, with its whole body. */
  control(kind: number, body: Buffer): void;
}

/** Cuts a byte stream into frames. Data is handed on as it arrives; only headers and control bodies are buffered. */
export class StreamFrameReader {
  readonly #handlers: FrameHandlers;
  #partial: Buffer = NOTHING;
  #dataLeft = 0;
  #descriptor: Descriptor = 0;

  constructor(handlers: FrameHandlers) {
    this.#handlers = handlers;
  }

  /** @throws ProcessStreamError */
  push(chunk: Buffer): void {
    const bytes = this.#partial.length === 0 ? chunk : Buffer.concat([this.#partial, chunk]);
    this.#partial = NOTHING;
    let at = 0;
    while (at < bytes.length) {
      const taken = this.#dataLeft > 0 ? this.#takeData(bytes, at) : this.#takeFrame(bytes, at);
      if (taken === 0) {
        this.#partial = Buffer.from(bytes.subarray(at));
        return;
      }
      at += taken;
    }
  }

  #takeData(bytes: Buffer, at: number): number {
    const piece = bytes.subarray(at, at + this.#dataLeft);
    this.#dataLeft -= piece.length;
    this.#handlers.data(this.#descriptor, piece);
    return piece.length;
  }

  // A guest may send many thousand frames in a chunk: no view of it is made but for a body.
  #takeFrame(bytes: Buffer, at: number): number {
    if (bytes.length < at + HEADER_BYTES) return 0;
    const kind = bytes.readUInt8(at);
    const length = bytes.readUIntBE(at + 1, 3);
    const isData = kind <= Kind.stderr;
    if (length > (isData ? MAX_DATA_BYTES : CONTROL_BYTES)) {
      throw new ProcessStreamError(`frame of kind ${String(kind)} with ${String(length)} bytes`);
    }
    if (isData) return this.#beginData(kind as Descriptor, length);
    const body = at + HEADER_BYTES;
    if (bytes.length < body + length) return 0;
    this.#handlers.control(kind, length === 0 ? NOTHING : bytes.subarray(body, body + length));
    return HEADER_BYTES + length;
  }

  #beginData(descriptor: Descriptor, length: number): number {
    this.#descriptor = descriptor;
    this.#dataLeft = length;
    if (length === 0) this.#handlers.end(descriptor);
    return HEADER_BYTES;
  }
}
