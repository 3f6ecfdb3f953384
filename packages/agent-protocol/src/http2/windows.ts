import { ErrorCode, Http2Error, MAX_WINDOW } from "./protocol.ts";

/** How many bytes of data the peer takes. It may be negative: the peer may lower the window of open streams. */
export class SendWindow {
  #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  get room(): number {
    return this.#room;
  }

  take(bytes: number): void {
    this.#room -= bytes;
  }

  /** @throws Http2Error above the largest window */
  change(bytes: number): void {
    this.#room += bytes;
    if (this.#room > MAX_WINDOW) throw new Http2Error(ErrorCode.FlowControl, "a window exceeds 2^31 - 1 bytes");
  }
}

/** How many bytes of data the peer may still send. */
export class ReceiveWindow {
  #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  get room(): number {
    return this.#room;
  }

  /** @throws Http2Error for more than the peer had credit for */
  receive(bytes: number): void {
    this.#room -= bytes;
    if (this.#room < 0) throw new Http2Error(ErrorCode.FlowControl, "the peer sends more data than it has credit for");
  }

  grant(bytes: number): void {
    this.#room += bytes;
  }
}
