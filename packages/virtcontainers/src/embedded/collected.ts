import type { Readable } from "node:stream";
import { ByteQueue } from "@kata-ts/agent-protocol/process-stream";

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
    const kept = new ByteQueue();
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      const room = maxBytes - kept.length;
      if (chunk.length > room) this.#truncated = true;
      if (room > 0) kept.push(chunk.subarray(0, room));
    }
    return kept.takeAll().toString();
  }
}
