import type { Duplex } from "node:stream";
import { Http2Connection } from "./connection.ts";
import type { Field } from "./hpack/static-table.ts";
import { MAX_HEADER_LIST_BYTES } from "./limits.ts";
import { ErrorCode, Http2Error, MAX_STREAM_ID } from "./protocol.ts";
import { Setting } from "./settings.ts";
import type { Http2Stream, StreamEvents } from "./stream.ts";

export interface ClientOptions {
  /** Bytes that the server may send on a stream before it is given credit. */
  readonly window: number;
  /** The server takes no new streams any more; those that are open go on. */
  readonly onGoAway: () => void;
  /** Called once, when the connection is over. */
  readonly onEnd: () => void;
}

/** The client's end of a connection. */
export class ClientConnection extends Http2Connection {
  readonly #options: ClientOptions;
  #nextStream = 1;
  #waiting: (() => void)[] = [];

  constructor(transport: Duplex, options: ClientOptions) {
    super(
      transport,
      false,
      new Map([
        [Setting.EnablePush, 0],
        [Setting.InitialWindowSize, options.window],
        [Setting.MaxHeaderListSize, MAX_HEADER_LIST_BYTES],
      ]),
    );
    this.#options = options;
  }

  /** Whether the server takes one more stream now. */
  get hasRoom(): boolean {
    return this.streams.size < this.peer.maxStreams;
  }

  /** Resolves when that may have changed. */
  roomMayHaveChanged(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  open(fields: readonly Field[], events: StreamEvents): Http2Stream {
    const stream = this.addStream(this.#nextStream, this.#options.window);
    this.#nextStream += 2;
    if (this.#nextStream > MAX_STREAM_ID) this.#options.onGoAway();
    this.events.set(stream.id, events);
    stream.sendHeaders(fields, false);
    return stream;
  }

  override forget(stream: Http2Stream): void {
    super.forget(stream);
    this.#wake();
  }

  protected override get lastPeerStream(): number {
    return 0;
  }

  protected override isIdle(streamId: number): boolean {
    return streamId >= this.#nextStream || streamId % 2 === 0;
  }

  protected override onNewStream({ streamId }: { readonly streamId: number }): void {
    throw new Http2Error(ErrorCode.Protocol, `the server answers stream ${String(streamId)}, which was never opened`);
  }

  protected override onGoAway(lastStream: number): void {
    this.#options.onGoAway();
    for (const stream of [...this.streams.values()]) {
      if (stream.id > lastStream)
        this.lose(stream, new Http2Error(ErrorCode.RefusedStream, "the server has not taken the call"));
    }
  }

  protected override onSettings(): void {
    this.#wake();
  }

  protected override onEnd(): void {
    this.#wake();
    this.#options.onEnd();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
