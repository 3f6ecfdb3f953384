import type { Duplex } from "node:stream";
import { readInTurns } from "../turns.ts";
import { type ControlEvents, readControlFrame } from "./control-frames.ts";
import { encodeNumber, type Frame, withoutPadding } from "./frame.ts";
import { FrameAllowance } from "./frame-allowance.ts";
import { Http2FrameReader } from "./frame-reader.ts";
import { HeaderAssembly, type HeaderBlock } from "./header-assembly.ts";
import { HpackDecoder } from "./hpack/decoder.ts";
import { HpackEncoder } from "./hpack/encoder.ts";
import type { Field } from "./hpack/static-table.ts";
import { MAX_HEADER_LIST_BYTES } from "./limits.ts";
import { Output } from "./output.ts";
import { PeerSettings } from "./peer-settings.ts";
import { DEFAULT_WINDOW, ErrorCode, Flag, FrameType, Http2Error, PREFACE } from "./protocol.ts";
import { encodeSettings, type Settings } from "./settings.ts";
import { Http2Stream, type StreamCarrier, type StreamEvents } from "./stream.ts";
import { ReceiveWindow } from "./windows.ts";

/** An honest peer answers a frame of data with credit twice, and a ping. */
const FRAMES_FOR_DATA = 8;

/**
 * What both ends of an HTTP/2 connection (RFC 9113) have in common. It owns its transport and destroys it at its end. The peer is not
 * trusted: all that it sends has limits, and beyond them the connection ends.
 */
export abstract class Http2Connection implements StreamCarrier {
  protected readonly streams: Map<number, Http2Stream> = new Map();
  protected readonly events: Map<number, StreamEvents> = new Map();
  protected readonly allowance: FrameAllowance = new FrameAllowance();
  protected readonly peer: PeerSettings = new PeerSettings();
  readonly #transport: Duplex;
  readonly #output: Output;
  readonly #encoder: HpackEncoder = new HpackEncoder();
  readonly #decoder: HpackDecoder = new HpackDecoder(MAX_HEADER_LIST_BYTES);
  readonly #headers: HeaderAssembly = new HeaderAssembly();
  readonly #window: ReceiveWindow = new ReceiveWindow(DEFAULT_WINDOW);
  readonly #controlEvents: ControlEvents = {
    settings: (body) => {
      this.#onSettings(body);
    },
    ping: (body) => {
      this.#output.frame(FrameType.Ping, Flag.Ack, 0, body);
    },
    credit: (streamId, bytes) => {
      this.#onCredit(streamId, bytes);
    },
    reset: (streamId, reason) => {
      this.#onReset(streamId, reason);
    },
    goAway: (lastStream) => {
      this.onGoAway(lastStream);
    },
  };
  #isOver = false;

  constructor(transport: Duplex, isServer: boolean, settings: Settings) {
    this.#transport = transport;
    this.#output = new Output(transport, () => {
      this.allowance.earn(FRAMES_FOR_DATA);
    });
    if (!isServer) this.#output.write(PREFACE);
    this.#output.frame(FrameType.Settings, 0, 0, encodeSettings(settings));
    this.#read(
      new Http2FrameReader(isServer, (frame) => {
        if (!this.#isOver) this.#onFrame(frame);
      }),
    );
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends the connection and all its streams. */
  close(): void {
    this.#endWith(ErrorCode.NoError, undefined);
  }

  sendHeaders(streamId: number, fields: readonly Field[], isEnd: boolean): void {
    this.#output.headers(streamId, this.#encoder.encode(fields), isEnd);
  }

  sendBody(stream: Http2Stream): void {
    this.#output.addBody(stream);
  }

  sendCredit(streamId: number, bytes: number): void {
    this.#output.frame(FrameType.WindowUpdate, 0, streamId, encodeNumber(bytes));
  }

  sendReset(streamId: number, reason: number): void {
    this.#output.frame(FrameType.RstStream, 0, streamId, encodeNumber(reason));
  }

  forget(stream: Http2Stream): void {
    this.#output.removeBody(stream);
    this.streams.delete(stream.id);
    this.events.delete(stream.id);
  }

  /** Whether a stream of this number was never opened. */
  protected abstract isIdle(streamId: number): boolean;
  /** The highest number of a stream of the peer's. */
  protected abstract get lastPeerStream(): number;
  /** A header block for a stream that is not there, and was not before. @throws Http2Error */
  protected abstract onNewStream(block: HeaderBlock, fields: readonly Field[]): void;
  /** The peer takes no new streams any more, and has not taken those above a number. */
  protected abstract onGoAway(lastStream: number): void;
  /** The peer's settings have changed. */
  protected abstract onSettings(): void;
  /** Called once, when the connection is over: with the error that ended it, if one did. */
  protected abstract onEnd(error: Error | undefined): void;

  protected addStream(id: number, receiveWindow: number): Http2Stream {
    const stream = new Http2Stream(id, this, { send: this.peer.window, receive: receiveWindow });
    this.streams.set(id, stream);
    return stream;
  }

  /** Ends a stream without an answer. */
  protected lose(stream: Http2Stream, reason: Error): void {
    const events = this.events.get(stream.id);
    stream.end();
    events?.onReset(reason);
  }

  #read(reader: Http2FrameReader): void {
    const transport = this.#transport;
    const take = (chunk: Buffer): void => {
      if (this.#isOver) return;
      try {
        reader.push(chunk);
      } catch (error) {
        this.#fail(error);
      }
    };
    const readOn = readInTurns(transport, take, { isFull: () => this.#output.isFull });
    transport.on("drain", () => {
      this.#output.sendBodies();
      readOn();
    });
    transport.on("error", () => undefined);
    transport.once("end", () => {
      this.#finish(undefined);
      transport.destroy();
    });
    transport.once("close", () => {
      this.#finish(undefined);
    });
    if (!transport.destroyed) return;
    setImmediate(() => {
      this.#finish(undefined);
    });
  }

  #onFrame(frame: Frame): void {
    if (!this.peer.areKnown && frame.type !== FrameType.Settings) {
      throw new Http2Error(ErrorCode.Protocol, "the connection does not begin with SETTINGS");
    }
    const block = this.#headers.take(frame);
    if (block !== undefined) this.#onHeaders(block);
    else if (frame.type === FrameType.Data) this.#onData(frame);
    else if (frame.type !== FrameType.Headers && frame.type !== FrameType.Continuation) {
      this.allowance.spend();
      readControlFrame(frame, this.#controlEvents);
    }
  }

  #onHeaders(block: HeaderBlock): void {
    // Also where the stream is gone: the table of both sides stays the same.
    const fields = this.#decoder.decode(block.bytes);
    const stream = this.streams.get(block.streamId);
    if (stream === undefined) {
      if (this.isIdle(block.streamId)) this.onNewStream(block, fields);
      else this.allowance.spend();
      return;
    }
    if (!block.isEnd) this.allowance.spend(); // Interim answers come without end.
    if (this.#isClosedFor(stream)) return;
    const events = this.events.get(stream.id);
    if (block.isEnd) stream.endRemote();
    events?.onHeaders(fields, block.isEnd);
  }

  #onData(frame: Frame): void {
    const { streamId, flags } = frame;
    const bytes = frame.body.length;
    this.#window.receive(bytes);
    if (this.#window.room < DEFAULT_WINDOW / 2) this.#refillWindow();
    const data = withoutPadding(frame);
    const isEnd = (flags & Flag.EndStream) !== 0;
    const stream = this.streams.get(streamId);
    if (stream === undefined || (data.length === 0 && !isEnd)) this.allowance.spend();
    if (stream === undefined) {
      this.#requireOpened(streamId);
      return;
    }
    stream.receiveWindow.receive(bytes);
    if (this.#isClosedFor(stream)) return;
    const events = this.events.get(streamId);
    if (isEnd) stream.endRemote();
    stream.grant(bytes - data.length); // Padding is no part of a message, whose size the credit is for.
    events?.onData(data, isEnd);
  }

  /** A peer that has ended its side of a stream sends on: the stream goes. */
  #isClosedFor(stream: Http2Stream): boolean {
    if (stream.isRemoteEnd) {
      this.sendReset(stream.id, ErrorCode.StreamClosed);
      this.lose(stream, new Http2Error(ErrorCode.StreamClosed, "the peer sends on a stream that it has ended"));
    }
    return stream.isRemoteEnd;
  }

  #refillWindow(): void {
    const bytes = DEFAULT_WINDOW - this.#window.room;
    this.#window.grant(bytes);
    this.sendCredit(0, bytes);
  }

  #onSettings(body: Buffer): void {
    const change = this.peer.update(body);
    for (const stream of this.streams.values()) stream.sendWindow.change(change);
    if (this.peer.hasSmallerTable) this.#encoder.giveUpTable();
    this.#output.frame(FrameType.Settings, Flag.Ack, 0);
    this.#output.sendBodies();
    this.onSettings();
  }

  #onCredit(streamId: number, bytes: number): void {
    if (streamId === 0) this.#output.window.change(bytes);
    else {
      this.#requireOpened(streamId);
      this.streams.get(streamId)?.sendWindow.change(bytes);
    }
    this.#output.sendBodies();
  }

  #onReset(streamId: number, reason: number): void {
    this.#requireOpened(streamId);
    const stream = this.streams.get(streamId);
    if (stream !== undefined) this.lose(stream, new Http2Error(reason, "the peer has reset the stream"));
  }

  #requireOpened(streamId: number): void {
    if (this.isIdle(streamId)) throw new Http2Error(ErrorCode.Protocol, `stream ${String(streamId)} was never opened`);
  }

  #fail(error: unknown): void {
    const reason = error instanceof Http2Error ? error.reason : ErrorCode.Internal;
    this.#endWith(reason, error instanceof Error ? error : new Error(String(error)));
  }

  #endWith(reason: number, error: Error | undefined): void {
    if (this.#isOver) return;
    this.#output.end(this.lastPeerStream, reason);
    this.#finish(error);
  }

  #finish(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const reason = error ?? new Http2Error(ErrorCode.NoError, "the connection is over");
    for (const stream of [...this.streams.values()]) this.lose(stream, reason);
    this.onEnd(error);
  }
}
