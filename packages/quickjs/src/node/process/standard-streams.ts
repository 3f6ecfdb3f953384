import { Buffer } from "../buffer.ts";
import { fstatSync } from "../fs/stats.ts";
import { createReadStream } from "../fs/streams.ts";
import { Socket } from "../net/socket.ts";
import { type Readable, Writable } from "../stream.ts";
import { isatty } from "../tty.ts";
import { writeAll } from "./output.ts";

/** Synchronous, as Node's are for files, pipes and terminals; nothing ends them. */
class StandardOutput extends Writable {
  readonly fd: number;
  readonly isTTY: boolean | undefined;

  constructor(fd: number) {
    super({ decodeStrings: false });
    this.fd = fd;
    this.isTTY = isatty(fd) ? true : undefined;
  }

  override _write(chunk: Uint8Array | string, encoding: string, done: (error?: Error) => void): void {
    try {
      writeAll(this.fd, typeof chunk === "string" ? Buffer.from(chunk, encoding) : chunk);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    done(error);
  }
}

export function standardOutput(fd: number): Writable {
  return new StandardOutput(fd);
}

export function standardInput(): Readable {
  const stats = fstatSync(0);
  if (stats.isFIFO() || stats.isSocket() || isatty(0)) {
    return Object.assign(new Socket({ fd: 0, readable: true, writable: false, manualStart: true }), {
      isTTY: isatty(0) ? true : undefined,
    });
  }
  return createReadStream("", { fd: 0, autoClose: false });
}
