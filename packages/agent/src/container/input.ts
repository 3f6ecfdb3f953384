import type { Socket } from "node:net";

/** The write end of a process's standard input: a pipe's, or a terminal's master. */
export class Input {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => undefined); // A reader that went away: write() tells it.
  }

  /** Resolves once the process, or the kernel for it, has all of it; false when nobody reads it any more. */
  async write(data: Uint8Array): Promise<boolean> {
    if (!this.#socket.writable) return false;
    return new Promise((resolve) => {
      this.#socket.write(data, (error) => {
        resolve(error === undefined || error === null);
      });
    });
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
