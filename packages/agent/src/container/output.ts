import type { Socket } from "node:net";
import { openPollable, unreadBytes } from "@kata-ts/linux";

/** How long an output may stay silent after its process ended, when another process still holds it open. */
const LINGER_MS = 250;
/** How long such an output is followed at most; what is there by then is the last. */
const LINGER_TOTAL_MS = 1_000;
/** Bytes read at a time: few calls under load, and no more memory for an unread output. */
const READ_BYTES = 512 * 1024;

/**
 * An output of a process, read on demand only: at most one buffer is read ahead, so a slow reader stops the process.
 * When the process has ended, all that it wrote is still delivered; what other processes write to the same output is
 * followed for a moment, and then the output ends. Without a reader it can be read on all the same: see keepLast.
 */
export class Output {
  readonly #socket: Socket;
  readonly #fd: number;
  #unread: Buffer = Buffer.alloc(0);
  #buffer: Buffer = Buffer.alloc(0);
  #ended = false;
  /** Unread output of a process that has ended; undefined while it runs. */
  #owed: number | undefined;
  #lingerUntil = 0;
  /** Nothing is followed but what is owed. */
  #hasLast = false;
  /** How much of it is kept; undefined where nothing is read but on demand. */
  #keepBytes: number | undefined;
  #changed: (() => void) | undefined;

  /** @param fd to be closed with this */
  constructor(fd: number, writable = false) {
    this.#fd = fd;
    this.#socket = openPollable(fd, {
      readable: true,
      writable,
      manualStart: true,
      onread: {
        buffer: () => (this.#buffer = Buffer.allocUnsafeSlow(READ_BYTES)),
        callback: (length) => this.#onRead(length),
      },
    });
    // A terminal without a slave answers EIO: that is its end, too.
    for (const event of ["end", "error", "close"]) {
      this.#socket.on(event, () => {
        this.#ended = true;
        this.#changed?.();
      });
    }
  }

  /** The stream below, for a terminal's input. */
  get socket(): Socket {
    return this.#socket;
  }

  /** The process is gone; what it wrote is still delivered. */
  processEnded(): void {
    this.#owed = this.#unreadBytes;
    this.#changed?.();
  }

  /** Until the next read: the process never waits, and the last bytes of what it writes are kept for that. */
  keepLast(bytes: number): void {
    this.#keepBytes = bytes;
    this.#forgetOld();
    if (!this.#ended) this.#socket.resume();
  }

  /**
   * The next bytes, at most `limit`. Waits for the first one. Undefined at the end; empty when aborted.
   */
  async read(limit: number, signal?: AbortSignal): Promise<Buffer | undefined> {
    this.#keepBytes = undefined;
    for (;;) {
      if (signal?.aborted === true) return Buffer.alloc(0);
      if (this.#isDelivered()) this.destroy();
      if (this.#unread.length > 0) return this.#take(limit);
      if (this.#ended) return undefined;
      this.#socket.resume();
      // On a busy guest their time may be up before it was looked at what they have written.
      if (!(await this.#change(signal)) && this.#unreadBytes === 0) this.destroy();
    }
  }

  destroy(): void {
    this.#ended = true;
    this.#unread = Buffer.alloc(0);
    this.#socket.destroy();
    this.#changed?.();
  }

  #onRead(length: number): boolean {
    const data = this.#buffer.subarray(0, length);
    this.#unread = this.#unread.length === 0 ? data : Buffer.concat([this.#unread, data]);
    this.#forgetOld();
    this.#changed?.();
    return this.#keepBytes !== undefined; // else not until the next read
  }

  #forgetOld(): void {
    const excess = this.#unread.length - (this.#keepBytes ?? this.#unread.length);
    // A copy: what is kept is not to hold whole buffers.
    if (excess > 0) this.#unread = Buffer.from(this.#unread.subarray(excess));
    if (excess > 0 && this.#owed !== undefined) this.#owed -= excess;
  }

  #take(limit: number): Buffer {
    const data = this.#unread.subarray(0, limit);
    this.#unread = this.#unread.subarray(data.length);
    if (this.#owed !== undefined) this.#owed -= data.length;
    return data;
  }

  /** Waits for data, the end or the abort. False when the process is gone and the others have had their time. */
  #change(signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const settle = (alive: boolean): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onChange);
        this.#changed = undefined;
        resolve(alive);
      };
      const onChange = (): void => {
        settle(true);
      };
      this.#changed = onChange;
      signal?.addEventListener("abort", onChange);
      const patience = this.#patience();
      if (patience !== undefined) timer = setTimeout(settle, patience, false);
    });
  }

  #patience(): number | undefined {
    if (this.#owed === undefined || this.#owed > 0) return undefined;
    return Math.max(0, Math.min(LINGER_MS, this.#lingerUntil - performance.now()));
  }

  /** Whether nothing more is to come of a process that has ended, nor of others that hold its output. */
  #isDelivered(): boolean {
    if (this.#owed === undefined || this.#owed > 0) return false;
    const now = performance.now();
    if (this.#lingerUntil === 0) this.#lingerUntil = now + LINGER_TOTAL_MS;
    if (!this.#hasLast && now >= this.#lingerUntil) {
      this.#hasLast = true;
      this.#owed = this.#unreadBytes;
    }
    return this.#hasLast && this.#owed <= 0;
  }

  /** Written, and not yet given to a reader. */
  get #unreadBytes(): number {
    return (this.#socket.destroyed ? 0 : unreadBytes(this.#fd)) + this.#unread.length;
  }
}
