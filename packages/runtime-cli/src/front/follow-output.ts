import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const CHUNK_BYTES = 65_536;

/** The output of a detached container as it is written: to its files in turn, each emptied before it is written again. */
export class OutputReader implements Disposable {
  readonly #fds: readonly number[];
  readonly #overwritten: () => number;
  #current: number;
  #offset = 0;
  /** How much of the whole output is overwritten, or read. */
  #position: number;

  /**
   * @param paths in the order in which they are written. All are opened at once, before the oldest is emptied.
   * @param overwritten how many bytes were, until now; the writer counts them before it empties a file. Without it a file that was
   * overwritten is not seen as such once there is more in it than was read.
   */
  constructor(paths: readonly string[], overwritten: () => number = () => 0) {
    this.#overwritten = overwritten;
    this.#position = overwritten();
    this.#fds = paths.map((path) => openSync(path, "r"));
    this.#current = this.#oldest();
  }

  /** What has come since the last call; an undefined in it stands for what was overwritten before it could be read. */
  *read(): Generator<Buffer | undefined> {
    for (;;) {
      if (this.#isBehind()) {
        yield undefined;
        this.#position = this.#overwritten();
        [this.#current, this.#offset] = [this.#oldest(), 0];
      }
      // Looked at before the end is: what is written to a file comes before what is written to the next.
      const isLeft = this.#isLeft();
      const chunk = this.#chunk();
      // Overwritten while it was read, it may be of the wrong place.
      if (this.#isBehind()) continue;
      this.#offset += chunk.length;
      this.#position += chunk.length;
      if (chunk.length > 0) yield chunk;
      else if (!isLeft) return;
      else [this.#current, this.#offset] = [this.#next, 0];
    }
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds) closeSync(fd);
  }

  #chunk(): Buffer {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    const count = readSync(this.#fds[this.#current] ?? -1, buffer, 0, CHUNK_BYTES, this.#offset);
    return buffer.subarray(0, count);
  }

  /** What comes next was overwritten. */
  #isBehind(): boolean {
    return this.#size() < this.#offset || this.#overwritten() > this.#position;
  }

  get #next(): number {
    return (this.#current + 1) % this.#fds.length;
  }

  #size(index: number = this.#current): number {
    return fstatSync(this.#fds[index] ?? -1).size;
  }

  #writtenAt(index: number): bigint {
    return fstatSync(this.#fds[index] ?? -1, { bigint: true }).mtimeNs;
  }

  /** The next file is written already. */
  #isLeft(): boolean {
    return this.#size(this.#next) > 0 && this.#writtenAt(this.#next) > this.#writtenAt(this.#current);
  }

  /** The first is written first; later, an empty one is about to be written. */
  #oldest(): number {
    const written = this.#fds.map((_, index) => index).filter((index) => this.#size(index) > 0);
    return written.reduce(
      (oldest, index) => (this.#writtenAt(index) < this.#writtenAt(oldest) ? index : oldest),
      written[0] ?? 0,
    );
  }
}
