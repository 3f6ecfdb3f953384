import { writevSync } from "node:fs";
import type { Socket } from "node:net";

/** The write end of a process's standard input: a pipe's, or a terminal's master. */
export class Input {
  readonly #fd: number;
  readonly #socket: Socket;

  /** @param socket over the descriptor */
  constructor(fd: number, socket: Socket) {
    this.#fd = fd;
    this.#socket = socket;
    socket.on("error", () => undefined); // The reader has closed: write() reports it.
  }

  /** Resolves once the process, or the kernel for it, has all of it; false when its reader has closed. */
  async write(...all: readonly Uint8Array[]): Promise<boolean> {
    if (!this.#socket.writable) return false;
    const pieces = afterBytes(all, this.#writeNow(all));
    if (pieces.length === 0) return true;
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

  /** What there is room for goes by one call, without what a stream does for each write. */
  #writeNow(pieces: readonly Uint8Array[]): number {
    try {
      return writevSync(this.#fd, pieces);
    } catch {
      return 0; // There is no room now, or the reader has closed: the socket reports which.
    }
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

/** What is left of pieces behind so many bytes. */
function afterBytes(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  const left: Uint8Array[] = [];
  let skip = bytes;
  for (const piece of pieces) {
    if (skip < piece.length) left.push(piece.subarray(skip));
    skip = Math.max(0, skip - piece.length);
  }
  return left;
}
