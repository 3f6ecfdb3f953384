import { constants } from "node:os";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { GuestProcess } from "@kata-ts/shim";
import { KataError } from "../errors.ts";
import { Collected } from "./collected.ts";
import { checkOptions, resultShape } from "./process-shape.ts";
import type { ResultOptions } from "./result-options.ts";

/** What became of a process. A status other than 0 is a result like any other, never an exception. */
export interface ProcessResult {
  /** 0 to 255; 128 + N for a process that signal N ended, which a process can also exit with by itself. */
  readonly exitCode: number;
  /** The signal that such a status stands for. */
  readonly signal: NodeJS.Signals | undefined;
  /** What it wrote, as UTF-8. */
  readonly stdout: string;
  readonly stderr: string;
  /** Something is missing above: it wrote more than was to be kept. */
  readonly truncated: boolean;
}

const MAX_BYTES = 16 * 2 ** 20;
const FIRST_SIGNAL_STATUS = 128;

/**
 * A process in a guest: Node streams, or its lines, or its whole result.
 *
 * @example
 * for await (const line of process) console.log(line);
 * const { exitCode, stderr } = await other.result();
 */
export class Process implements AsyncIterable<string> {
  /** Fails with EPIPE once the process has closed its standard input. */
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Ends at once for a process with a terminal: all its output is on stdout. */
  readonly stderr: Readable;
  readonly #guest: GuestProcess;

  constructor(guest: GuestProcess) {
    this.#guest = guest;
    ({ stdin: this.stdin, stdout: this.stdout, stderr: this.stderr } = guest);
  }

  /**
   * The exit status, as `exitCode` of ProcessResult. Read both outputs to their ends first, or use `result`.
   *
   * @throws the signal's reason when it is aborted; an error when the guest is lost before the process ended
   */
  wait(signal?: AbortSignal): Promise<number> {
    return this.#guest.wait(signal);
  }

  /** Reads all that it writes until it ends. @throws when the guest is lost before the process ended */
  async result(options: ResultOptions = {}): Promise<ProcessResult> {
    checkOptions(resultShape, options, "result");
    const { input, maxBytes = MAX_BYTES, signal } = options;
    const kill = (): void => {
      this.#guest.killSession();
    };
    if (signal?.aborted === true) kill();
    signal?.addEventListener("abort", kill, { once: true });
    try {
      // One that does not read what it is given may still have a result.
      this.stdin.on("error", () => undefined).end(input);
      const outputs = [new Collected(this.stdout, maxBytes), new Collected(this.stderr, maxBytes)] as const;
      const [stdout, stderr] = await Promise.all(outputs.map(({ text }) => text));
      const exitCode = await this.wait();
      const truncated = outputs.some((output) => output.truncated);
      return { exitCode, signal: signalOf(exitCode), stdout: stdout ?? "", stderr: stderr ?? "", truncated };
    } finally {
      signal?.removeEventListener("abort", kill);
    }
  }

  /**
   * A process that is over counts as signalled.
   *
   * @param signal `SIGTERM` by default; by number for real-time ones
   * @throws KataError KATA_CONFIG for what is no signal
   */
  async kill(signal: NodeJS.Signals | number = "SIGTERM"): Promise<void> {
    await this.#guest.kill(signalNumber(signal));
  }

  /** Only for a process with a terminal. */
  resize(size: { readonly rows: number; readonly columns: number }): void {
    this.#guest.resize(size);
  }

  /**
   * The lines of its standard output; leaving the loop early kills the process and what it has started. Standard error is
   * to be read beside, or a process that writes much there waits.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<string, void, undefined> {
    let isOver = false;
    try {
      yield* createInterface({ input: this.stdout, crlfDelay: Number.POSITIVE_INFINITY });
      isOver = true;
    } finally {
      if (!isOver) {
        this.#guest.killSession();
        for (const output of [this.stdout, this.stderr]) output.resume();
      }
    }
  }
}

const MAX_SIGNAL = 64;

export function signalNumber(signal: NodeJS.Signals | number): number {
  const number = typeof signal === "number" ? signal : constants.signals[signal];
  // Plain JavaScript passes any text, and the guest would get signal 0, which does nothing.
  if (!Number.isInteger(number) || number < 0 || number > MAX_SIGNAL) {
    throw new KataError("KATA_CONFIG", `${JSON.stringify(signal)} is not a signal`, {
      hint: "name one as kill -l does, such as SIGTERM, or give its number, 0 to 64",
    });
  }
  return number;
}

function signalOf(status: number): NodeJS.Signals | undefined {
  const number = status - FIRST_SIGNAL_STATUS;
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return found?.[0] as NodeJS.Signals | undefined;
}
