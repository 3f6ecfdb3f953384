import { Buffer } from "../buffer.ts";
import type { OnRead } from "./socket-options.ts";

const CHUNK = 64 * 1024;

/** Where what a socket reads goes: into buffers of its maker's, or into its stream. */
export class Incoming {
  readonly #onRead: OnRead | undefined;
  readonly #push: (chunk: Uint8Array) => boolean;

  /** @param push into the stream; false where that has enough */
  constructor(onRead: OnRead | undefined, push: (chunk: Uint8Array) => boolean) {
    this.#onRead = onRead;
    this.#push = push;
  }

  /** Whether the stream has none of it, and is not asked for more. */
  get isBesideStream(): boolean {
    return this.#onRead !== undefined;
  }

  /** For the next read. */
  buffer(): Uint8Array {
    if (this.#onRead === undefined) return Buffer.allocUnsafe(CHUNK);
    const { buffer } = this.#onRead;
    return typeof buffer === "function" ? buffer() : buffer;
  }

  /** @param buffer that of buffer(), with so many bytes read. @returns false where that is enough for now */
  deliver(buffer: Uint8Array, count: number): boolean {
    if (this.#onRead !== undefined) return this.#onRead.callback(count, buffer);
    const read = buffer.subarray(0, count);
    // A copy of what is small: it is not to hold the whole buffer.
    return this.#push(count < CHUNK / 2 ? Buffer.from(read) : read);
  }
}
