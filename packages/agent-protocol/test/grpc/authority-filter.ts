import type { Duplex } from "node:stream";
import { replaceAuthority } from "./hpack-authority.ts";
import { SocketLike } from "./socket-like.ts";

const PREFACE_BYTES = 24;
const FRAME_HEADER_BYTES = 9;
const HEADERS = 1;
const FLAG_PADDED = 0x8;
const FLAG_PRIORITY = 0x20;
/** HTTP/2's default; we never allow more, and only frames of this size are ever held back. */
const MAX_FRAME_BYTES = 16_384;

/**
 * An HTTP/2 connection as our server can read it: requests of the original's client get an `:authority` that Node
 * accepts. Everything else passes as it is.
 */
export class AuthorityFilter extends SocketLike {
  readonly #inner: Duplex;
  #pending: Buffer = Buffer.alloc(0);
  #passing = PREFACE_BYTES;

  constructor(inner: Duplex) {
    super({ allowHalfOpen: true });
    this.#inner = inner;
    inner.on("data", (chunk: Buffer) => {
      if (!this.push(this.#filter(chunk))) inner.pause();
    });
    inner.once("end", () => this.push(null));
    inner.once("error", (error) => this.destroy(error));
    inner.once("close", () => this.destroy());
    inner.pause();
  }

  override _read(): void {
    this.#inner.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#inner.write(chunk)) done();
    else this.#inner.once("drain", done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#inner.end(done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#inner.destroy();
    done(error);
  }

  /** Passes bytes on; a HEADERS frame is held until it is whole. */
  #filter(chunk: Buffer): Buffer {
    const input = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    let offset = 0;
    while (offset < input.length) {
      if (this.#passing > 0) {
        const passed = Math.min(this.#passing, input.length - offset);
        this.#passing -= passed;
        offset += passed;
        continue;
      }
      if (input.length - offset < FRAME_HEADER_BYTES) break;
      const length = input.readUIntBE(offset, 3);
      const whole = FRAME_HEADER_BYTES + length;
      if (input.readUInt8(offset + 3) !== HEADERS || length > MAX_FRAME_BYTES) this.#passing = whole;
      else if (input.length - offset < whole) break;
      else {
        fixHeaders(input.subarray(offset, offset + whole));
        offset += whole;
      }
    }
    this.#pending = Buffer.from(input.subarray(offset));
    return input.subarray(0, offset);
  }
}

function fixHeaders(frame: Buffer): void {
  const flags = frame.readUInt8(4);
  const padding = (flags & FLAG_PADDED) === 0 ? 0 : frame.readUInt8(FRAME_HEADER_BYTES);
  const start = FRAME_HEADER_BYTES + ((flags & FLAG_PADDED) === 0 ? 0 : 1) + ((flags & FLAG_PRIORITY) === 0 ? 0 : 5);
  try {
    replaceAuthority(frame.subarray(start, frame.length - padding));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // A block that is broken, or goes on: HTTP/2 itself will judge it.
  }
}
