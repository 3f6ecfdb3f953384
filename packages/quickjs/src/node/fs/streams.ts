import { Buffer } from "../buffer.ts";
import { setImmediate } from "../loop/timers.ts";
import { Readable, Writable } from "../stream.ts";
import { closeSync, type OpenMode, openSync, readSync, writeSync } from "./files.ts";
import type { PathArgument } from "./path-argument.ts";

interface StreamOptions {
  readonly fd?: number;
  readonly flags?: OpenMode;
  readonly mode?: number;
  readonly autoClose?: boolean;
  readonly highWaterMark?: number;
  readonly encoding?: BufferEncoding;
}

interface ReadOptions extends StreamOptions {
  readonly start?: number;
  /** The last byte that is read. */
  readonly end?: number;
}

const CHUNK = 64 * 1024;

/** Files are read in place: no loop can wait for them. Between two parts other things have their turn. */
class FileReader extends Readable {
  fd: number | undefined;
  #position: number | null;
  #left: number;
  readonly #autoClose: boolean;

  constructor(open: () => number, { start, end = Infinity, autoClose = true, ...options }: ReadOptions) {
    super({ highWaterMark: CHUNK, ...options, autoDestroy: autoClose });
    this.#position = start ?? null;
    this.#left = end - (start ?? 0) + 1;
    this.#autoClose = autoClose;
    try {
      this.fd = open();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  override _read(size: number): void {
    setImmediate(() => {
      if (this.fd === undefined || this.destroyed) return;
      try {
        const chunk = Buffer.allocUnsafe(Math.min(size, CHUNK, this.#left));
        const count = readSync(this.fd, chunk, 0, chunk.length, this.#position);
        if (this.#position !== null) this.#position += count;
        this.#left -= count;
        this.push(count === 0 ? null : chunk.subarray(0, count));
      } catch (error) {
        this.destroy(error as Error);
      }
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#autoClose && this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
    done(error);
  }
}

class FileWriter extends Writable {
  fd: number | undefined;
  readonly #autoClose: boolean;

  constructor(open: () => number, { autoClose = true, ...options }: StreamOptions) {
    super({ ...options, autoDestroy: autoClose });
    this.#autoClose = autoClose;
    try {
      this.fd = open();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(this.fd ?? -1, chunk, at);
      setImmediate(done);
    } catch (error) {
      done(error as Error);
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (this.#autoClose && this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
    done(error);
  }
}

export function createReadStream(path: PathArgument, options: ReadOptions = {}): Readable {
  return new FileReader(() => options.fd ?? openSync(path, options.flags ?? "r", options.mode), options);
}

export function createWriteStream(path: PathArgument, options: StreamOptions = {}): Writable {
  return new FileWriter(() => options.fd ?? openSync(path, options.flags ?? "w", options.mode), options);
}
