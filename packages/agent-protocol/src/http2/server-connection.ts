import type { Duplex } from "node:stream";
import { Http2Connection } from "./connection.ts";
import type { HeaderBlock } from "./header-assembly.ts";
import type { Field } from "./hpack/static-table.ts";
import { MAX_HEADER_LIST_BYTES } from "./limits.ts";
import { DEFAULT_WINDOW, ErrorCode, Http2Error } from "./protocol.ts";
import { Setting } from "./settings.ts";
import type { Http2Stream, StreamEvents } from "./stream.ts";

export interface ServerOptions {
  /** Streams that may be open at a time; others are refused. */
  readonly maxStreams: number;
  /** Called for each stream of the client's. @returns undefined to refuse it */
  readonly onStream: (stream: Http2Stream) => StreamEvents | undefined;
  /** Called once, when the connection is over. */
  readonly onEnd: () => void;
}

/** The server's end of a connection. */
export class ServerConnection extends Http2Connection {
  readonly #options: ServerOptions;
  #lastStream = 0;

  constructor(transport: Duplex, options: ServerOptions) {
    super(
      transport,
      true,
      new Map([
        [Setting.MaxConcurrentStreams, options.maxStreams],
        [Setting.MaxHeaderListSize, MAX_HEADER_LIST_BYTES],
      ]),
    );
    this.#options = options;
  }

  protected override get lastPeerStream(): number {
    return this.#lastStream;
  }

  protected override isIdle(streamId: number): boolean {
    return streamId > this.#lastStream || streamId % 2 === 0;
  }

  protected override onNewStream(block: HeaderBlock, fields: readonly Field[]): void {
    if (block.streamId % 2 === 0) throw new Http2Error(ErrorCode.Protocol, "a client opens streams with odd numbers");
    this.#lastStream = block.streamId;
    const isFull = this.streams.size >= this.#options.maxStreams;
    const stream = this.addStream(block.streamId, DEFAULT_WINDOW);
    const events = isFull ? undefined : this.#options.onStream(stream);
    if (events === undefined) {
      this.allowance.spend();
      stream.reset(ErrorCode.RefusedStream);
      return;
    }
    this.events.set(stream.id, events);
    if (block.isEnd) stream.endRemote();
    events.onHeaders(fields, block.isEnd);
  }

  /** A client that goes away still waits for its answers. */
  protected override onGoAway(): void {
    // Nothing is to be done.
  }

  protected override onSettings(): void {
    // They are about what the peer opens or sends.
  }

  protected override onEnd(): void {
    this.#options.onEnd();
  }
}
