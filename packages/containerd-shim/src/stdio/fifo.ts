import { closeSync, constants, openSync } from "node:fs";
import type { Socket } from "node:net";
import { type Readable, Writable } from "node:stream";
import { openPollable, unreadBytes } from "@kata-ts/linux";

/** How often it is looked whether a reader has come for what is left. The kernel has no event for it. */
const LOOK_MS = 50;

/**
 * An output into a fifo. It is opened for reading, too: a reader that comes late finds all, and while there is none that reads,
 * the process waits when the fifo is full, as it would at a pipe. Its reader sees the end once all has been read, or at `close`.
 */
export class FifoOutput extends Writable {
  readonly #fd: number;
  readonly #socket: Socket;
  #look: NodeJS.Timeout | undefined;

  /** @throws when there is no such fifo */
  constructor(path: string) {
    super();
    this.#fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    this.#socket = openPollable(this.#fd, { readable: false, writable: true });
    this.#socket.on("error", (error) => this.destroy(error));
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  /** All is in the fifo. The process is over for its creator, also where the reader has not read it yet. */
  override _final(done: () => void): void {
    this.#closeOnceRead();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // What has ended orderly stays until it has been read.
    if (error !== null) this.close();
    done(error);
  }

  close(): void {
    clearTimeout(this.#look);
    this.#socket.destroy();
  }

  #closeOnceRead(): void {
    if (this.#socket.destroyed) return;
    if (unreadBytes(this.#fd) === 0) {
      this.close();
      return;
    }
    this.#look = setTimeout(() => {
      this.#closeOnceRead();
    }, LOOK_MS);
    this.#look.unref();
  }
}

/**
 * An input from a fifo. Its writing end is held open: a writer that goes away, such as an engine that is being restarted, does
 * not end the process's input; `closeStdin` lets it end with the last writer.
 */
export class FifoInput {
  readonly stream: Readable;
  #writer: number | undefined;

  /** @throws when there is no such fifo */
  constructor(path: string) {
    const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      this.#writer = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      closeSync(reader);
      throw error;
    }
    this.stream = openPollable(reader, { readable: true, writable: false });
    this.stream.on("error", () => undefined);
  }

  closeStdin(): void {
    if (this.#writer !== undefined) closeSync(this.#writer);
    this.#writer = undefined;
  }

  close(): void {
    this.closeStdin();
    this.stream.destroy();
  }
}
