import { Duplex } from "node:stream";
import { Arrivals } from "../arrivals.ts";
import { takeFront } from "../take-front.ts";
import { Flag, FrameType, INITIAL_WINDOW, YamuxProtocolError } from "./frame.ts";

/** What a stream needs of its session. */
export interface StreamCarrier {
  send(type: number, flags: number, streamId: number, length: number, body?: readonly Buffer[]): void;
  /** Calls back when the transport takes more; at once if it does now. */
  whenWritable(callback: () => void): void;
  /** The memory that a stream holds for bytes without a reader has changed by so many bytes. */
  held(change: number): void;
  forget(streamId: number): void;
}

/** Bodies are cut to this size, so that one busy stream does not hold up the others for long. */
const MAX_FRAME_BODY = 256 * 1024;
/** See Arrivals. */
const READABLE_HIGH_WATER_MARK = 1;

/**
 * One yamux stream as a Node Duplex. Ending the writable side half-closes it (FIN); destroying it resets it (RST).
 * The receive window is re-opened as the reader consumes, never on arrival.
 */
export class YamuxStream extends Duplex {
  readonly id: number;
  readonly #carrier: StreamCarrier;
  readonly #maxWindow: number;
  #sendWindow = INITIAL_WINDOW;
  #receiveWindow: number;
  #unacknowledged = 0;
  readonly #arrivals: Arrivals = new Arrivals(this, (taken) => {
    this.#giveCredit(taken);
    this.#countHeld();
  });
  #held = 0;
  #resumeWrite: (() => void) | undefined;
  #localFin = false;
  #bodyUntilFin = 0;
  #reset = false;

  constructor(id: number, carrier: StreamCarrier, maxWindow: number) {
    super({
      allowHalfOpen: true,
      readableHighWaterMark: READABLE_HIGH_WATER_MARK,
      writableHighWaterMark: MAX_FRAME_BODY, // What waits goes in one frame: the fewer there are, the less there is to do.
    });
    this.id = id;
    this.#carrier = carrier;
    this.#maxWindow = maxWindow;
    this.#receiveWindow = maxWindow;
  }

  /** Opens or accepts the stream on the wire, and raises the initial window to ours. */
  announce(flag: number): void {
    this.#carrier.send(FrameType.WindowUpdate, flag, this.id, this.#maxWindow - INITIAL_WINDOW);
  }

  /** @throws YamuxProtocolError if the peer sends more than we gave it credit for. */
  onBody(piece: Buffer): void {
    if (this.#reset || this.#arrivals.isOver) return;
    this.#receiveWindow -= piece.length;
    if (this.#receiveWindow < 0) throw new YamuxProtocolError(`stream ${String(this.id)}: receive window exceeded`);
    this.#arrivals.push(piece);
    this.#countHeld();
    if (this.#bodyUntilFin === 0) return;
    this.#bodyUntilFin -= piece.length;
    if (this.#bodyUntilFin === 0) this.onFin();
  }

  /** The frame whose body of this size comes next is the peer's last. */
  finAfterBody(bytes: number): void {
    this.#bodyUntilFin = bytes;
  }

  onCredit(bytes: number): void {
    this.#sendWindow += bytes;
    const resume = this.#resumeWrite;
    this.#resumeWrite = undefined;
    resume?.();
  }

  onFin(): void {
    this.#arrivals.finish();
    this.#forgetIfDone();
  }

  /** The peer, or the end of the session, took the stream away. */
  onReset(reason: Error): void {
    this.#arrivals.deliver();
    this.#reset = true;
    this.destroy(reason);
  }

  override _read(): void {
    this.#arrivals.read();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#sendAll([chunk], done);
  }

  /** Chunks that wait together, such as a header and its body, go in one frame. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#sendAll(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#localFin = true;
    this.#carrier.send(FrameType.WindowUpdate, Flag.FIN, this.id, 0);
    this.#forgetIfDone();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const clean = this.#localFin && this.#arrivals.isOver;
    if (!clean && !this.#reset) this.#carrier.send(FrameType.WindowUpdate, Flag.RST, this.id, 0);
    this.#arrivals.clear();
    this.#countHeld();
    this.#resumeWrite = undefined;
    this.#carrier.forget(this.id);
    done(error);
  }

  #countHeld(): void {
    const { memory } = this.#arrivals;
    this.#carrier.held(memory - this.#held);
    this.#held = memory;
  }

  // Small credits are saved up to half a window, as hashicorp/yamux does: one update for many reads.
  #giveCredit(bytes: number): void {
    this.#unacknowledged += bytes;
    if (this.#unacknowledged < this.#maxWindow / 2 || this.#arrivals.isOver) return;
    this.#receiveWindow += this.#unacknowledged;
    this.#carrier.send(FrameType.WindowUpdate, 0, this.id, this.#unacknowledged);
    this.#unacknowledged = 0;
  }

  #sendAll(chunks: readonly Buffer[], done: () => void): void {
    if (this.destroyed) return;
    const [first] = chunks;
    if (first === undefined) {
      done();
      return;
    }
    this.#carrier.whenWritable(() => {
      this.#sendFirst(first, chunks, done);
    });
  }

  #sendFirst(first: Buffer, chunks: readonly Buffer[], done: () => void): void {
    if (this.destroyed) return;
    if (this.#sendWindow === 0 && first.length > 0) {
      this.#resumeWrite = () => {
        this.#sendAll(chunks, done);
      };
      return;
    }
    const { front, size, rest } = takeFront(chunks, Math.min(this.#sendWindow, MAX_FRAME_BODY));
    this.#sendWindow -= size;
    this.#carrier.send(FrameType.Data, 0, this.id, size, front);
    if (rest.length > 0) this.#sendAll(rest, done);
    else this.#carrier.whenWritable(done);
  }

  #forgetIfDone(): void {
    if (this.#localFin && this.#arrivals.isOver) this.#carrier.forget(this.id);
  }
}
