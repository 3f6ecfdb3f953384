import { closeSync } from "node:fs";
import { Socket } from "node:net";
import { endOfStream } from "@kata-ts/agent-protocol";
import { createPipe } from "@kata-ts/linux";

/** How long an output may stay silent after its process ended, when another process still holds it open. */
const LINGER_MS = 250;

/** The pipes of one process: ours, and for the moment of its start also its own ends. */
export interface ProcessPipes {
  readonly stdin: InputPipe;
  readonly stdout: OutputPipe;
  readonly stderr: OutputPipe;
  /** Descriptors 0 to 2 for the process. */
  readonly childFds: readonly [number, number, number];
  /** To be called once the process has them. */
  closeChildFds(): void;
}

/** Real pipes, not Node's socket pairs: a program may re-open them through /dev/stdout. */
export function createProcessPipes(): ProcessPipes {
  const stdin = createPipe();
  const stdout = createPipe();
  const stderr = createPipe();
  const childFds = [stdin.read, stdout.write, stderr.write] as const;
  return {
    stdin: new InputPipe(stdin.write),
    stdout: new OutputPipe(stdout.read),
    stderr: new OutputPipe(stderr.read),
    childFds,
    closeChildFds: () => {
      for (const fd of childFds) closeSync(fd);
    },
  };
}

/** The write end of a process's standard input. */
class InputPipe {
  readonly #socket: Socket;

  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: false, writable: true });
    this.#socket.on("error", () => undefined); // A reader that went away: write() tells it.
  }

  /** Resolves once the process, or the pipe's buffer, has all of it: the number of bytes taken, 0 after the end. */
  async write(data: Uint8Array): Promise<number> {
    if (!this.#socket.writable) return 0;
    return new Promise((resolve) => {
      this.#socket.write(data, (error) => {
        resolve(error ? 0 : data.length);
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

/** The read end of a process's output. Nothing is read ahead but one buffer: a slow reader stops the process. */
export class OutputPipe {
  readonly #socket: Socket;
  #processEnded = false;

  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.on("error", () => undefined);
  }

  /** The process is gone; what it wrote is still delivered. */
  processEnded(): void {
    this.#processEnded = true;
    this.#socket.emit("kata:ended");
  }

  /**
   * The next bytes, at most `limit`. Waits for the first one.
   *
   * @throws AgentRpcError EOF after the last byte
   */
  async read(limit: number, signal: AbortSignal): Promise<Buffer> {
    for (;;) {
      if (signal.aborted) return Buffer.alloc(0);
      const ready = this.#socket.readableLength;
      const data = this.#socket.read(ready > 0 ? Math.min(ready, limit) : undefined) as Buffer | null;
      if (data !== null) return this.#within(data, limit);
      if (this.#socket.readableEnded || this.#socket.destroyed) throw endOfStream();
      if (!(await this.#change(signal))) this.destroy();
    }
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #within(data: Buffer, limit: number): Buffer {
    if (data.length <= limit) return data;
    this.#socket.unshift(data.subarray(limit));
    return data.subarray(0, limit);
  }

  /** False when the process is gone and whoever still holds its output has been silent for a while. */
  #change(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      const linger = (): void => {
        timer = setTimeout(settle, LINGER_MS, false);
      };
      const changed = (): void => {
        settle(true);
      };
      const settle = (alive: boolean): void => {
        clearTimeout(timer);
        for (const event of ["readable", "end", "close"]) this.#socket.off(event, changed);
        this.#socket.off("kata:ended", linger);
        signal.removeEventListener("abort", changed);
        resolve(alive);
      };
      for (const event of ["readable", "end", "close"]) this.#socket.on(event, changed);
      this.#socket.on("kata:ended", linger);
      signal.addEventListener("abort", changed);
      if (this.#processEnded) linger();
    });
  }
}
