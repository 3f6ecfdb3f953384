import { ErrorCode, Http2Error } from "./protocol.ts";

const BURST = 1000;
const PER_SECOND = 100;

/**
 * How many frames a peer may send that carry nothing: pings, settings, credit, resets, empty data, unknown types. Each costs time and maybe an
 * answer, and HTTP/2 sets no limit. An allowance grows with time, since connections last for days, and with the data that is sent to the
 * peer, since that is what honest peers answer with credit and pings.
 */
export class FrameAllowance {
  readonly #now: () => number;
  #left = BURST;
  #updatedAt: number;

  /** @param now milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#updatedAt = now();
  }

  /** @throws Http2Error when nothing is left */
  spend(): void {
    this.#refill();
    if (this.#left < 1)
      throw new Http2Error(ErrorCode.EnhanceYourCalm, "the peer floods the connection with frames that carry nothing");
    this.#left -= 1;
  }

  earn(frames: number): void {
    this.#left = Math.min(BURST, this.#left + frames);
  }

  #refill(): void {
    const now = this.#now();
    this.earn(((now - this.#updatedAt) / 1000) * PER_SECOND);
    this.#updatedAt = now;
  }
}
