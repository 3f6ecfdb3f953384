import type { Duplex } from "node:stream";
import {
  encodeHeader,
  Flag,
  type FrameHeader,
  FrameType,
  GoAwayReason,
  INITIAL_WINDOW,
  YamuxProtocolError,
} from "./frame.ts";
import { YamuxFrameReader } from "./frame-reader.ts";
import { Intake } from "./intake.ts";
import { type StreamCarrier, YamuxStream } from "./stream.ts";

export interface YamuxOptions {
  /** The client opens odd streams, the server even ones. On Kata's channel the agent is the server. */
  readonly role: "client" | "server";
  /** Called for each stream that the peer opens. Without it such streams are reset. */
  readonly onStream?: (stream: YamuxStream) => void;
  /** Bytes that the peer may have in flight per stream; at least 256 KiB, the protocol's initial window. */
  readonly window?: number;
  /** Streams that may be open at a time; more are reset. */
  readonly maxStreams?: number;
  /** Of them, those that the peer may open: it cannot take the last ones from us. The default is all. */
  readonly maxPeerStreams?: number;
  /**
   * Bytes of memory that the peer may make us hold, for streams and for what arrives without being read. At this bound,
   * and while the peer does not read our answers to its frames, nothing more is read from the transport. For a peer that
   * is not trusted. Only one end may have a budget: two ends that stop reading wait for each other.
   */
  readonly memoryBudget?: number;
}

/** What an open stream costs, beside the bytes that it holds. */
const STREAM_COST = 8 * 1024;

/** A part of a frame that is no larger is copied behind what comes before it. */
const COPIED_BYTES = 1024;

/** Told to every stream when its session ends. */
export class YamuxSessionClosed extends Error {
  readonly code = "KATA_YAMUX_CLOSED";
  override readonly name = "YamuxSessionClosed";
}

/**
 * Many streams over one ordered, reliable transport. The session owns the transport and destroys it at its end.
 *
 * @example
 * const session = new YamuxSession(socket, { role: "client" });
 * const stream = session.open();
 */
export class YamuxSession implements StreamCarrier {
  /** Resolves when the session is over, with the error that ended it, if one did. */
  readonly closed: Promise<Error | undefined>;
  readonly #transport: Duplex;
  readonly #options: Required<Pick<YamuxOptions, "window" | "maxStreams">> & YamuxOptions;
  readonly #streams: Map<number, YamuxStream> = new Map();
  readonly #pings: Map<number, PromiseWithResolvers<void>> = new Map();
  readonly #intake: Intake;
  #peerStreams = 0;
  #waiting: (() => void)[] = [];
  #nextId: number;
  #nextPing = 0;
  #needsDrain = false;
  #over = false;
  #closing = false;
  #peerGoesAway = false;
  #settle!: (error: Error | undefined) => void;

  constructor(transport: Duplex, options: YamuxOptions) {
    this.#transport = transport;
    this.#options = { ...options, window: options.window ?? INITIAL_WINDOW, maxStreams: options.maxStreams ?? 1024 };
    if (this.#options.window < INITIAL_WINDOW) throw new RangeError("a yamux window is at least 256 KiB");
    this.#nextId = options.role === "client" ? 1 : 2;
    this.closed = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const reader = new YamuxFrameReader({
      header: (header) => {
        this.#onHeader(header);
      },
      body: (streamId, piece) => this.#streams.get(streamId)?.onBody(piece),
    });
    this.#intake = new Intake(transport, reader, {
      memoryBudget: options.memoryBudget,
      onError: (error) => {
        this.#onIntakeError(error);
      },
    });
    transport.on("drain", () => {
      this.#onDrain();
    });
    transport.once("error", (error: Error) => {
      this.#finish(error);
    });
    transport.once("end", () => {
      this.#finish(undefined);
    });
    transport.once("close", () => {
      this.#finish(undefined);
    });
  }

  /** True once the transport, or the session, has ended. */
  get over(): boolean {
    return this.#over;
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** @throws YamuxSessionClosed when the session is over, the peer went away, or no stream is left. */
  open(): YamuxStream {
    if (this.#over || this.#peerGoesAway) throw new YamuxSessionClosed("the yamux session is closed");
    if (this.#streams.size >= this.#options.maxStreams || this.#nextId > 0xffff_ffff) {
      throw new YamuxSessionClosed("the yamux session has no streams left");
    }
    const stream = this.#add(this.#nextId);
    this.#nextId += 2;
    stream.announce(Flag.SYN);
    return stream;
  }

  /** Resolves when the peer answers, rejects when the session ends first. */
  async ping(): Promise<void> {
    if (this.#over) throw new YamuxSessionClosed("the yamux session is closed");
    const answer = Promise.withResolvers<void>();
    this.#pings.set(this.#nextPing, answer);
    this.send(FrameType.Ping, Flag.SYN, 0, this.#nextPing);
    this.#nextPing = (this.#nextPing + 1) >>> 0;
    await answer.promise;
  }

  /** A ping whose reply is not awaited: the original proxy's heartbeat. */
  heartbeat(): void {
    if (this.#over || this.#needsDrain) return;
    this.send(FrameType.Ping, Flag.SYN, 0, this.#nextPing);
    this.#nextPing = (this.#nextPing + 1) >>> 0;
  }

  /** Ends the session and all its streams. */
  close(reason: number = GoAwayReason.Normal): void {
    if (this.#over) return;
    this.send(FrameType.GoAway, 0, 0, reason);
    this.#transport.end(() => this.#transport.destroy());
    this.#closing = true;
    this.#finish(undefined);
  }

  send(type: number, flags: number, streamId: number, length: number, body: readonly Buffer[] = []): void {
    if (this.#over || this.#transport.destroyed || this.#transport.writableEnded) return;
    const ready = this.#write(withSmallParts(encodeHeader({ type, flags, streamId, length }), body));
    if (this.#needsDrain) this.#intake.owe();
    if (!ready && this.#transport.writableNeedDrain) this.#needsDrain = true;
  }

  /** @returns whether the transport takes more now */
  #write(parts: readonly Buffer[]): boolean {
    const [only] = parts;
    if (parts.length === 1 && only !== undefined) return this.#transport.write(only);
    let ready = true;
    this.#transport.cork();
    for (const part of parts) ready = this.#transport.write(part);
    this.#transport.uncork();
    return ready;
  }

  held(change: number): void {
    this.#intake.hold(change);
  }

  whenWritable(callback: () => void): void {
    if (this.#needsDrain) this.#waiting.push(callback);
    else callback();
  }

  forget(streamId: number): void {
    if (!this.#streams.delete(streamId)) return;
    if (!this.#isOurs(streamId)) this.#peerStreams -= 1;
    this.#intake.hold(-STREAM_COST);
  }

  #isOurs(streamId: number): boolean {
    return streamId % 2 === (this.#options.role === "client" ? 1 : 0);
  }

  #add(id: number): YamuxStream {
    const stream = new YamuxStream(id, this, this.#options.window);
    this.#streams.set(id, stream);
    if (!this.#isOurs(id)) this.#peerStreams += 1;
    this.#intake.hold(STREAM_COST);
    return stream;
  }

  #onIntakeError(error: unknown): void {
    if (error instanceof YamuxProtocolError) this.send(FrameType.GoAway, 0, 0, GoAwayReason.ProtocolError);
    this.#finish(error instanceof Error ? error : new Error(String(error)));
  }

  #onHeader(header: FrameHeader): void {
    if (header.type === FrameType.Ping) this.#onPing(header);
    else if (header.type === FrameType.GoAway) this.#onGoAway(header);
    else this.#onStreamFrame(header);
  }

  // A peer that pings while we cannot write gets no answer, so that answers never pile up in memory.
  #onPing(header: FrameHeader): void {
    if ((header.flags & Flag.SYN) !== 0) {
      if (!this.#needsDrain) this.send(FrameType.Ping, Flag.ACK, 0, header.length);
      return;
    }
    this.#pings.get(header.length)?.resolve();
    this.#pings.delete(header.length);
  }

  #onGoAway(header: FrameHeader): void {
    this.#peerGoesAway = true;
    if (header.length !== GoAwayReason.Normal) {
      throw new YamuxSessionClosed(`the yamux peer went away with reason ${String(header.length)}`);
    }
  }

  #onStreamFrame(header: FrameHeader): void {
    if ((header.flags & Flag.SYN) !== 0) this.#accept(header.streamId);
    const stream = this.#streams.get(header.streamId);
    if (stream === undefined) return; // A frame that crossed our reset or FIN: its body is dropped by the reader.
    if (header.type === FrameType.WindowUpdate) stream.onCredit(header.length);
    if ((header.flags & Flag.RST) !== 0) {
      this.forget(stream.id);
      stream.onReset(new YamuxSessionClosed(`yamux stream ${String(stream.id)} was reset by the peer`));
      return;
    }
    if ((header.flags & Flag.FIN) !== 0) this.#finWhenComplete(stream, header);
  }

  // A FIN on a data frame counts after the frame's body, which the reader delivers next.
  #finWhenComplete(stream: YamuxStream, header: FrameHeader): void {
    if (header.type === FrameType.Data && header.length > 0) stream.finAfterBody(header.length);
    else stream.onFin();
  }

  #accept(id: number): void {
    if (id === 0 || this.#isOurs(id) || this.#streams.has(id)) {
      throw new YamuxProtocolError(`the peer may not open stream ${String(id)}`);
    }
    const { onStream, maxStreams, maxPeerStreams = maxStreams } = this.#options;
    const isFull = this.#streams.size >= maxStreams || this.#peerStreams >= maxPeerStreams;
    if (onStream === undefined || isFull) {
      this.send(FrameType.WindowUpdate, Flag.RST, id, 0);
      return;
    }
    const stream = this.#add(id);
    stream.announce(Flag.ACK);
    onStream(stream);
  }

  #onDrain(): void {
    this.#needsDrain = false;
    this.#intake.settle();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) this.whenWritable(callback);
  }

  #finish(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#intake.close();
    const reason = error ?? new YamuxSessionClosed("the yamux session ended");
    for (const stream of [...this.#streams.values()]) stream.onReset(reason);
    this.#streams.clear();
    for (const answer of this.#pings.values()) answer.reject(reason);
    this.#pings.clear();
    this.#waiting = [];
    // A transport that ended by itself may still hold its descriptor, and a serial port can be opened only once.
    if (!this.#closing) this.#transport.destroy();
    this.#settle(error);
  }
}

/**
 * A frame in as few pieces as possible: a serial port sends each piece by itself, and wakes the host for it. Small parts are copied
 * behind the header; a large one stays where it is.
 */
function withSmallParts(header: Buffer, body: readonly Buffer[]): Buffer[] {
  const large = body.findIndex(({ length }) => length > COPIED_BYTES);
  const small = large === -1 ? body : body.slice(0, large);
  const head = small.length === 0 ? header : Buffer.concat([header, ...small]);
  return [head, ...body.slice(small.length)];
}
