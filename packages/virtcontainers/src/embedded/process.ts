import { constants } from "node:os";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { GuestProcess } from "@kata-ts/shim";
import { KataError } from "../errors.ts";
import { Limit, type LimitOptions, type LimitReason, withinLimit } from "./limit.ts";
import { type ProcessResult, resultOf } from "./process-result.ts";
import { checkOptions, limitShape, resultShape } from "./process-shape.ts";
import type { ResultOptions } from "./result-options.ts";

/** What a guest may take to say that a process is dead that was killed. A guest that says nothing is not waited for. */
const KILL_DEADLINE_MS = 30_000;

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
  readonly #limits: Set<Disposable> = new Set();
  #onExit: ((exitCode: number) => void) | undefined;
  #reached: LimitReason | undefined;
  #deadline: NodeJS.Timeout | undefined;

  /**
   * @param limits of its whole life
   * @param onExit called once with its status, before any wait for it ends
   */
  constructor(guest: GuestProcess, limits: LimitOptions = {}, onExit?: (exitCode: number) => void) {
    this.#guest = guest;
    this.#onExit = onExit;
    ({ stdin: this.stdin, stdout: this.stdout, stderr: this.stderr } = guest);
    this.#limit(limits);
  }

  /**
   * The exit status, as `exitCode` of ProcessResult. Read both outputs to their ends first, or use `result`. A limit that is reached
   * ends the wait, and not the process.
   *
   * @throws the signal's reason when it is aborted; KataError KATA_TIMEOUT; an error when the guest is lost before the process ended
   */
  async wait(limits: AbortSignal | LimitOptions = {}): Promise<number> {
    const options = limits instanceof AbortSignal ? { signal: limits } : limits;
    checkOptions(limitShape, options, "wait");
    if (options.signal === undefined && options.timeoutMs === undefined) return await this.#exit();
    return await withinLimit("the wait for the process", options, (signal) => this.#exit(signal));
  }

  /** Reads all that it writes until it ends. @throws when the guest is lost before the process ended */
  async result(options: ResultOptions = {}): Promise<ProcessResult> {
    checkOptions(resultShape, options, "result");
    this.#limit(options);
    const result = await resultOf(this.#guest, options, () => this.#exit());
    return this.#reached === undefined ? result : { ...result, reason: this.#reached };
  }

  /**
   * A process that is over counts as signalled.
   *
   * @param signal `SIGTERM` by default; by number for real-time ones
   * @param limits of the call
   * @throws KataError KATA_CONFIG for what is no signal, KATA_TIMEOUT; the reason of an aborted signal
   */
  async kill(signal: NodeJS.Signals | number = "SIGTERM", limits: LimitOptions = {}): Promise<void> {
    const number = signalNumber(signal);
    checkOptions(limitShape, limits, "kill");
    await withinLimit("the signal", limits, () => this.#guest.kill(number));
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
    const lines = createInterface({ input: this.stdout, crlfDelay: Number.POSITIVE_INFINITY });
    // The guest may be lost after the loop was left: then there is no loop to throw into, and an error that nothing hears ends the program.
    lines.on("error", () => undefined);
    try {
      yield* lines;
      isOver = true;
    } finally {
      lines.close();
      if (!isOver) {
        this.#end();
        for (const output of [this.stdout, this.stderr]) output.resume();
      }
    }
  }

  /** Once it has exited no limit can be reached any more. */
  async #exit(signal?: AbortSignal): Promise<number> {
    let isOver = true;
    try {
      const exitCode = await this.#guest.wait(signal);
      this.#onExit?.(exitCode);
      this.#onExit = undefined;
      return exitCode;
    } catch (error) {
      isOver = signal?.aborted !== true;
      throw error;
    } finally {
      if (isOver) this.#lift();
    }
  }

  #limit(options: LimitOptions): void {
    if (options.signal === undefined && options.timeoutMs === undefined) return;
    const onOver = (reason: LimitReason): void => {
      this.#reached ??= reason;
      this.#end();
    };
    this.#limits.add(new Limit(options, onOver));
  }

  #lift(): void {
    clearTimeout(this.#deadline);
    for (const limit of this.#limits) limit[Symbol.dispose]();
    this.#limits.clear();
  }

  #end(): void {
    this.#guest.killSession();
    this.#deadline ??= setTimeout(() => {
      this.#guest[Symbol.dispose]();
    }, KILL_DEADLINE_MS).unref();
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
