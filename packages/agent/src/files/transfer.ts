import { once } from "node:events";
import { PassThrough } from "node:stream";
import type { FileFailure, FileReport } from "@kata-ts/agent-protocol";
import type { ServedProcess } from "@kata-ts/agent-protocol/process-stream";

/** What an operation works with. */
export interface TransferStreams {
  /** What the host sends. */
  readonly input: AsyncIterable<Buffer>;
  /** Resolves once there is room for more. */
  readonly send: (data: Buffer) => Promise<void>;
  readonly report: (report: FileReport) => void;
  /** Aborted when the operation is to end. */
  readonly signal: AbortSignal;
}

export type TransferWork = (streams: TransferStreams) => Promise<void>;

const WINDOW_BYTES = 256 * 1024;
/** Reports that the host has not read: more are dropped, but for the failure. */
const MAX_REPORT_BYTES = 64 * 1024;

/** An operation on files with a stream of its own, which takes it for a process. */
export class Transfer implements ServedProcess {
  /** 0, or 1 with a failure as the last report. */
  readonly exited: Promise<number>;
  readonly #input = new PassThrough({ highWaterMark: WINDOW_BYTES });
  readonly #output = new PassThrough({ highWaterMark: WINDOW_BYTES });
  readonly #reports = new PassThrough();
  readonly #over = new AbortController();
  readonly #exited = Promise.withResolvers<number>();

  constructor() {
    this.exited = this.#exited.promise;
    for (const stream of [this.#input, this.#output, this.#reports]) stream.on("error", () => undefined);
  }

  /** Does the work. @param failureOf what the host gets to know of an error */
  async run(work: TransferWork, failureOf: (error: unknown) => FileFailure): Promise<void> {
    const { signal } = this.#over;
    let status = 0;
    try {
      signal.throwIfAborted();
      await work({
        input: this.#input,
        send: (data) => this.#send(data),
        report: (each) => {
          this.#report(each);
        },
        signal,
      });
      signal.throwIfAborted();
    } catch (error) {
      status = 1;
      this.#write({ failure: failureOf(error) });
    }
    this.#input.destroy();
    this.#output.end();
    this.#reports.end();
    this.#exited.resolve(status);
  }

  /** Ends it before its time: the host is gone, or its container is. */
  abort(): void {
    this.#over.abort(new Error("the operation was given up"));
    this.#input.destroy(new Error("the operation was given up"));
    this.#output.destroy();
  }

  read(descriptor: 1 | 2, limit: number, signal: AbortSignal): Promise<Buffer | undefined> {
    return readSome(descriptor === 1 ? this.#output : this.#reports, limit, signal);
  }

  closeOutput(descriptor: 1 | 2): void {
    if (descriptor === 1) this.abort();
    else this.#reports.destroy();
  }

  /** Resolves when there is room for more; false when no more is taken. */
  async write(pieces: readonly Buffer[]): Promise<boolean> {
    for (const piece of pieces) {
      if (this.#input.destroyed) return false;
      if (!this.#input.write(piece)) await change(this.#input, ["drain", "close"]);
    }
    return !this.#input.destroyed;
  }

  closeInput(): void {
    this.#input.end();
  }

  killSession(): void {
    this.abort();
  }

  signal(): void {
    this.abort();
  }

  resize(): void {
    // There is no terminal.
  }

  hangUp(): void {
    // There is no terminal.
  }

  forget(): void {
    // It goes when it is over, whether the host has its status or not.
  }

  async #send(data: Buffer): Promise<void> {
    this.#over.signal.throwIfAborted();
    if (!this.#output.write(data)) await once(this.#output, "drain", { signal: this.#over.signal });
  }

  #report(report: FileReport): void {
    if (this.#reports.readableLength + this.#reports.writableLength < MAX_REPORT_BYTES) this.#write(report);
  }

  #write(report: FileReport): void {
    if (!this.#reports.destroyed) this.#reports.write(`${JSON.stringify(report)}\n`);
  }
}

/** The next bytes of a stream, at most so many; undefined at its end, and none once aborted. */
async function readSome(stream: PassThrough, limit: number, signal: AbortSignal): Promise<Buffer | undefined> {
  for (;;) {
    if (signal.aborted) return Buffer.alloc(0);
    const data = stream.read() as Buffer | null;
    if (data !== null) {
      if (data.length > limit) stream.unshift(data.subarray(limit));
      return data.subarray(0, limit);
    }
    if (stream.readableEnded || stream.destroyed) return undefined;
    await change(stream, ["readable", "end", "close"], signal);
  }
}

/** Resolves with the first of some events of a stream, or when aborted. */
function change(stream: PassThrough, events: readonly string[], signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      for (const event of events) stream.off(event, settle);
      signal?.removeEventListener("abort", settle);
      resolve();
    };
    for (const event of events) stream.on(event, settle);
    signal?.addEventListener("abort", settle, { once: true });
  });
}
