import { closeSync, constants, fchownSync, fstatSync, ftruncateSync, futimesSync, openSync, writeSync } from "node:fs";
import { Writable } from "node:stream";
import { isDiskFull } from "@kata-ts/linux";
import { DropCounter } from "./dropped-output.ts";

/** Files that hold the last of an output, and no more. */
export interface OutputFiles {
  /** Of the first; the others have `.1`, `.2` and so on behind it. */
  readonly path: string;
  /** Of each. */
  readonly maxBytes: number;
  /** How many there are. */
  readonly maxFiles: number;
}

const LINE_END = 0x0a;

/** Seconds that a full file is dated back: what is written to the next one may come within the same tick of the kernel. */
const BACK = 0.02;
/** Seconds between the dates of two files that were full within one tick. */
const APART = 0.00001;

/** @returns the paths in the order in which they are written, one after the other and then from the start */
export function outputPaths({ path, maxFiles }: Pick<OutputFiles, "path" | "maxFiles">): string[] {
  return Array.from({ length: maxFiles }, (_, index) => (index === 0 ? path : `${path}.${String(index)}`));
}

/**
 * Writes to files in turn: when a file is full, the next is emptied, which held the oldest output. All are opened at once,
 * as their directory may be out of sight later. A line is not cut where it need not be. What is dropped is counted.
 */
export class OutputRing {
  readonly #fds: readonly number[];
  readonly #maxBytes: number;
  readonly #dropped: DropCounter;
  #current = 0;
  /** Seconds, of the file that was left last. */
  #left = 0;
  #bytes: number;

  /** @param counted beside which file the count of what is dropped is kept: the first, by default */
  constructor(files: OutputFiles, counted: string = files.path) {
    const { O_WRONLY, O_APPEND, O_CREAT } = constants;
    this.#fds = outputPaths(files).map((path) => openSync(path, O_WRONLY | O_APPEND | O_CREAT, 0o600));
    this.#maxBytes = files.maxBytes;
    this.#dropped = new DropCounter(counted);
    this.#bytes = fstatSync(this.#fd).size;
  }

  /** @throws Error of the file system's; what a full disk has no room for is left out */
  write(chunk: Buffer): void {
    for (let rest = chunk; rest.length > 0; ) {
      if (this.#bytes >= this.#maxBytes) this.#next();
      const room = this.#maxBytes - this.#bytes;
      const length = rest.length <= room ? rest.length : cutAt(rest, room);
      // What would fit into an empty file goes there whole.
      if (length === 0 || (length === room && rest[length - 1] !== LINE_END && this.#bytes > 0)) this.#next();
      else {
        this.#append(rest.subarray(0, length));
        rest = rest.subarray(length);
      }
    }
  }

  /** Only a file's owner may date it back. */
  giveTo(user: number): void {
    for (const fd of this.#fds) fchownSync(fd, user, user);
  }

  close(): void {
    for (const fd of this.#fds) closeSync(fd);
    this.#dropped.close();
  }

  #append(part: Buffer): void {
    let offset = 0;
    try {
      while (offset < part.length) offset += writeSync(this.#fd, part, offset);
    } catch (error) {
      // The process is to go on without a log.
      if (!isDiskFull(error)) throw error;
      this.#dropped.add({ unwritten: part.length - offset });
    }
    this.#bytes += part.length;
  }

  /** Readers put the files in order by their dates, and the kernel gives many writes the same. */
  #next(): void {
    this.#left = Math.max(this.#left + APART, fstatSync(this.#fd).mtimeMs / 1000 - BACK);
    futimesSync(this.#fd, this.#left, this.#left);
    this.#current = (this.#current + 1) % this.#fds.length;
    const { size } = fstatSync(this.#fd);
    // Before it is emptied: what a reader has read while this count stood still was not overwritten.
    if (size > 0) this.#dropped.add({ old: size });
    ftruncateSync(this.#fd, 0);
    this.#bytes = 0;
  }

  get #fd(): number {
    return this.#fds[this.#current] ?? -1;
  }

  /** Standard output or standard error of a process: both may go here. */
  stream(): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        try {
          this.write(chunk);
          done();
        } catch (error) {
          done(error as Error);
        }
      },
    });
  }
}

/** After the last line that fits; a line that is longer than a whole file is cut. */
function cutAt(bytes: Buffer, room: number): number {
  const lineEnd = bytes.lastIndexOf(LINE_END, room - 1);
  return lineEnd === -1 ? room : lineEnd + 1;
}
