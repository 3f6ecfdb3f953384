import { read, readv, write, writev } from "kata:native";
import { ERRORS } from "../errno.ts";
import { tryLibc } from "../libc.ts";
import { FAILED, HUNG_UP, READABLE, Watch, WRITABLE } from "../loop/poll.ts";
import { makeNonBlocking } from "../non-blocking.ts";

const [EAGAIN] = ERRORS.EAGAIN;
const [EINTR] = ERRORS.EINTR;
const SHUT_WR = 1;

/** What a stream's descriptor tells. */
export interface HandleEvents {
  readonly onReadable: () => void;
  readonly onWritable: () => void;
}

/** A descriptor that does not block, and what is waited for at it. */
export class Handle {
  readonly #watch: Watch;
  #fd: number;

  constructor(fd: number, events: HandleEvents) {
    this.#fd = fd;
    makeNonBlocking(fd);
    this.#watch = new Watch(fd, (ready) => {
      const over = (ready & (FAILED | HUNG_UP)) !== 0;
      const isReady = (kind: number): boolean => (this.#watch.wanted & kind) !== 0 && ((ready & kind) !== 0 || over);
      // First: a write that fails ends the stream, and what the other side has said before it went would be lost.
      if (isReady(READABLE)) events.onReadable();
      // It may have been closed meanwhile.
      if (this.#fd >= 0 && isReady(WRITABLE)) events.onWritable();
    });
  }

  /** As Node's handles have it; -1 once it is closed. */
  get fd(): number {
    return this.#fd;
  }

  wantReadable(wanted: boolean): void {
    const { wanted: now } = this.#watch;
    this.#watch.want(wanted ? now | READABLE : now & ~READABLE);
  }

  wantWritable(wanted: boolean): void {
    const { wanted: now } = this.#watch;
    this.#watch.want(wanted ? now | WRITABLE : now & ~WRITABLE);
  }

  get isReading(): boolean {
    return (this.#watch.wanted & READABLE) !== 0;
  }

  reference(isReferenced: boolean): void {
    this.#watch.reference(isReferenced);
  }

  /** @returns bytes; undefined where it would wait; a negative error */
  read(buffer: Uint8Array): number | undefined {
    return outcome(() => read(this.#fd, buffer, 0, buffer.length, -1));
  }

  readv(buffers: readonly Uint8Array[]): number | undefined {
    return outcome(() => readv(this.#fd, buffers));
  }

  write(buffer: Uint8Array): number | undefined {
    return outcome(() => write(this.#fd, buffer, 0, buffer.length, -1));
  }

  writev(buffers: readonly Uint8Array[]): number | undefined {
    return outcome(() => writev(this.#fd, buffers));
  }

  /** A pipe has no shutdown, and needs none: its writer closes it. */
  shutdown(): number {
    const result = tryLibc("shutdown", this.#fd, SHUT_WR);
    return result === -ERRORS.ENOTSOCK[0] || result === -ERRORS.ENOTCONN[0] ? 0 : result;
  }

  close(): void {
    if (this.#fd < 0) return;
    this.#watch.close();
    tryLibc("close", this.#fd);
    this.#fd = -1;
  }
}

function outcome(body: () => number): number | undefined {
  for (;;) {
    const result = body();
    if (result !== -EINTR) return result === -EAGAIN ? undefined : result;
  }
}
