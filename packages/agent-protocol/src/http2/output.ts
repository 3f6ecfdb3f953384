import type { Duplex } from "node:stream";
import { encodeFrame, encodeNumber } from "./frame.ts";
import { DEFAULT_WINDOW, Flag, FrameType, MAX_FRAME_BYTES } from "./protocol.ts";
import type { Http2Stream } from "./stream.ts";
import { SendWindow } from "./windows.ts";

/** Bytes that may wait for a peer that does not read. */
const MAX_BACKLOG_BYTES = 1024 * 1024;
/** A peer that does not read the reason for the end of a connection does not keep it open. */
const CLOSING_MS = 1000;

/**
 * The frames that a connection sends. Data goes out as the windows and the transport allow, a frame of each stream by turns; all else at
 * once.
 */
export class Output {
  /** Of the connection. */
  readonly window: SendWindow = new SendWindow(DEFAULT_WINDOW);
  readonly #transport: Duplex;
  readonly #onDataSent: () => void;
  /** Streams whose bodies are not sent yet. */
  readonly #bodies: Set<Http2Stream> = new Set();

  #isGathering = false;

  /** @param onDataSent called for each frame of data */
  constructor(transport: Duplex, onDataSent: () => void) {
    this.#transport = transport;
    this.#onDataSent = onDataSent;
  }

  /** The peer does not read what it asked for. */
  get isFull(): boolean {
    return this.#transport.writableLength > MAX_BACKLOG_BYTES;
  }

  write(bytes: Buffer): void {
    if (!this.#transport.writable) return;
    this.#gather();
    this.#transport.write(bytes);
  }

  frame(type: number, flags: number, streamId: number, body?: Buffer): void {
    this.write(encodeFrame(type, flags, streamId, body));
  }

  /** A header block, in as many frames as it needs. */
  headers(streamId: number, block: Buffer, isEnd: boolean): void {
    for (let offset = 0; offset === 0 || offset < block.length; offset += MAX_FRAME_BYTES) {
      const isLast = offset + MAX_FRAME_BYTES >= block.length;
      const flags = (isEnd && offset === 0 ? Flag.EndStream : 0) | (isLast ? Flag.EndHeaders : 0);
      const type = offset === 0 ? FrameType.Headers : FrameType.Continuation;
      this.frame(type, flags, streamId, block.subarray(offset, offset + MAX_FRAME_BYTES));
    }
  }

  /** Says why the connection ends, and ends it. */
  end(lastStream: number, reason: number): void {
    const transport = this.#transport;
    this.frame(FrameType.GoAway, 0, 0, Buffer.concat([encodeNumber(lastStream), encodeNumber(reason)]));
    const late = setTimeout(() => transport.destroy(), CLOSING_MS);
    transport.once("close", () => {
      clearTimeout(late);
    });
    transport.end(() => transport.destroy());
  }

  addBody(stream: Http2Stream): void {
    this.#bodies.add(stream);
    this.sendBodies();
  }

  removeBody(stream: Http2Stream): void {
    this.#bodies.delete(stream);
  }

  /** Sends what can be sent now. To be called when a window has grown, and when the transport takes more. */
  sendBodies(): void {
    // A stream that has sent a frame comes again after the others: in this turn, or in the one after the transport has drained.
    for (const stream of this.#bodies) this.#sendPart(stream);
  }

  /** What is written in one go, such as a reply's headers, body and trailers, goes out together. */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#transport.cork();
    queueMicrotask(() => {
      this.#isGathering = false;
      this.#transport.uncork();
    });
  }

  #sendPart(stream: Http2Stream): void {
    const room = Math.min(stream.sendWindow.room, this.window.room, MAX_FRAME_BYTES);
    const { body } = stream;
    if ((room <= 0 && body.length > 0) || this.#transport.writableNeedDrain || !this.#transport.writable) return;
    const part = body.subarray(0, Math.max(0, room));
    const isLast = part.length === body.length;
    this.#bodies.delete(stream);
    if (!isLast) this.#bodies.add(stream);
    this.window.take(part.length);
    this.frame(FrameType.Data, isLast && stream.endsWithBody ? Flag.EndStream : 0, stream.id, part);
    this.#onDataSent();
    stream.bodySent(part.length);
  }
}
