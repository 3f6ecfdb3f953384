import { nodeError } from "../errors.ts";
import { nextTick } from "../loop/ticks.ts";
import type { Handle } from "./handle.ts";

/** What a vector takes at once: native/io.c. */
const VECTOR = 64;

/** Chunks on their way to a descriptor. */
export class PendingWrite {
  readonly #done: (error: Error | null) => void;
  #chunks: readonly Uint8Array[];
  #written = 0;

  constructor(chunks: readonly Uint8Array[], done: (error: Error | null) => void) {
    this.#chunks = chunks;
    this.#done = done;
  }

  /** @returns 0 when all is written, undefined where it has to wait, a negative error */
  writeTo(handle: Handle): number | undefined {
    while (this.#chunks.length > 0) {
      const [first] = this.#chunks;
      const alone = this.#chunks.length === 1 && first !== undefined;
      const result = alone ? handle.write(first) : handle.writev(this.#chunks.slice(0, VECTOR));
      if (result === undefined || result < 0) return result;
      this.#written += result;
      this.#skip(result);
    }
    return 0;
  }

  /** Bytes written since the last time. */
  takeWritten(): number {
    const written = this.#written;
    this.#written = 0;
    return written;
  }

  done(error: Error | null): void {
    this.#done(error);
  }

  /** Its stream is destroyed before all is written. */
  abandon(error: Error | null): void {
    nextTick(() => {
      this.#done(error ?? nodeError("ERR_STREAM_DESTROYED", "Cannot call write after a stream was destroyed"));
    });
  }

  #skip(bytes: number): void {
    let left = bytes;
    let at = 0;
    for (
      let length = this.#chunks[at]?.length;
      length !== undefined && length <= left;
      length = this.#chunks[at]?.length
    ) {
      left -= length;
      at += 1;
    }
    const [first, ...rest] = this.#chunks.slice(at);
    this.#chunks = first === undefined ? [] : [first.subarray(left), ...rest];
  }
}
