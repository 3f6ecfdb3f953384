import type { Readable } from "node:stream";

/** The beginning of what a stream brings; the rest is read, so that its writer does not wait, and dropped. */
export class Collected {
  /** Resolves at the stream's end. A cut character at the end of what was kept is replaced by U+FFFD. */
  readonly text: Promise<string>;
  #truncated = false;

  constructor(stream: Readable, maxBytes: number) {
    this.text = this.#collect(stream, maxBytes);
  }

  /** Known once `text` has resolved. */
  get truncated(): boolean {
    return this.#truncated;
  }

  async #collect(stream: Readable, maxBytes: number): Promise<string> {
    const chunks: Uint8Array[] = [];
    let room = maxBytes;
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      if (chunk.length > room) this.#truncated = true;
      if (room > 0) chunks.push(chunk.subarray(0, room));
      room -= Math.min(room, chunk.length);
    }
    return Buffer.concat(chunks).toString();
  }
}
