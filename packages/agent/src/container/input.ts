import type { Socket } from "node:net";

/** The write end of a process's standard input: a pipe's, or a terminal's master. */
export class Input {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("error", () => undefined); // A reader that went away: write() tells it.
  }

  /** Resolves once the process, or the kernel for it, has all of it; false when nobody reads it any more. */
  async write(...pieces: readonly Uint8Array[]): Promise<boolean> {
    if (!this.#socket.writable) return false;
    return new Promise((resolve) => {
      this.#socket.cork();
      for (const [index, piece] of pieces.entries()) {
        if (index < pieces.length - 1) this.#socket.write(piece);
        // In order: what has become of the last has become of all.
        else
          this.#socket.write(piece, (error) => {
            resolve(error === undefined || error === null);
          });
      }
      this.#socket.uncork();
    });
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
