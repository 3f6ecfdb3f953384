import type { Field } from "./hpack/static-table.ts";
import { ErrorCode } from "./protocol.ts";
import { ReceiveWindow, SendWindow } from "./windows.ts";

/** What happens to a stream, for its owner. */
export interface StreamEvents {
  /** @param isEnd the peer sends nothing more */
  onHeaders(fields: readonly Field[], isEnd: boolean): void;
  onData(piece: Buffer, isEnd: boolean): void;
  /** The peer, or the end of the connection, took the stream away before both sides had ended it. */
  onReset(reason: Error): void;
}

/** What a stream needs of its connection. */
export interface StreamCarrier {
  sendHeaders(streamId: number, fields: readonly Field[], isEnd: boolean): void;
  /** Sends the stream's body as its window allows. */
  sendBody(stream: Http2Stream): void;
  sendCredit(streamId: number, bytes: number): void;
  sendReset(streamId: number, reason: number): void;
  forget(stream: Http2Stream): void;
}

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * One exchange: headers and at most one body each way, as a unary call has it. A body waits here until the peer gives credit for it.
 */
export class Http2Stream {
  readonly id: number;
  readonly sendWindow: SendWindow;
  readonly receiveWindow: ReceiveWindow;
  readonly #carrier: StreamCarrier;
  #body: Buffer = NOTHING;
  #trailers: readonly Field[] | undefined;
  #isLocalEnd = false;
  #isRemoteEnd = false;
  #isOver = false;

  constructor(id: number, carrier: StreamCarrier, windows: { readonly send: number; readonly receive: number }) {
    this.id = id;
    this.#carrier = carrier;
    this.sendWindow = new SendWindow(windows.send);
    this.receiveWindow = new ReceiveWindow(windows.receive);
  }

  /** Both sides have ended it, or one has reset it. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get isRemoteEnd(): boolean {
    return this.#isRemoteEnd;
  }

  /** What is still to be sent of the body. */
  get body(): Buffer {
    return this.#body;
  }

  /** True when the body's last frame ends the stream. */
  get endsWithBody(): boolean {
    return this.#trailers === undefined;
  }

  sendHeaders(fields: readonly Field[], isEnd: boolean): void {
    if (this.#isOver) return;
    this.#carrier.sendHeaders(this.id, fields, isEnd);
    if (isEnd) this.#endLocal();
  }

  /** Sends the body, and then trailers, if any; nothing comes after that. */
  sendBody(body: Buffer, trailers?: readonly Field[]): void {
    if (this.#isOver) return;
    this.#body = body;
    this.#trailers = trailers;
    this.#carrier.sendBody(this);
  }

  /** So much of the body is sent. */
  bodySent(bytes: number): void {
    this.sendWindow.take(bytes);
    this.#body = this.#body.subarray(bytes);
    if (this.#body.length > 0) return;
    if (this.#trailers === undefined) this.#endLocal();
    else this.sendHeaders(this.#trailers, true);
  }

  /** Lets the peer send more. */
  grant(bytes: number): void {
    if (this.#isOver || this.#isRemoteEnd || bytes <= 0) return;
    this.receiveWindow.grant(bytes);
    this.#carrier.sendCredit(this.id, bytes);
  }

  /** Gives the stream up, unless it is over. */
  reset(reason: number = ErrorCode.Cancel): void {
    if (this.#isOver) return;
    this.#carrier.sendReset(this.id, reason);
    this.end();
  }

  /** The peer has ended its side. */
  endRemote(): void {
    this.#isRemoteEnd = true;
    if (this.#isLocalEnd) this.end();
  }

  /** Nothing is sent or received any more. */
  end(): void {
    this.#isOver = true;
    this.#body = NOTHING;
    this.#carrier.forget(this);
  }

  #endLocal(): void {
    this.#isLocalEnd = true;
    if (this.#isRemoteEnd) this.end();
  }
}
