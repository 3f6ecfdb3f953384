import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { expect } from "vitest";

const MIB = 1024 * 1024;
/** What a program may hold for a guest, Node's own growth, and what its sockets hold. */
const GROWTH_LIMIT = 160 * MIB;
const TURN_LIMIT_MS = 150;

interface Told {
  readonly residentBytes: number;
  readonly longestTurnMs: number;
}

/** A program in a process of its own, whose memory and event loop are watched. */
export class WatchedProgram implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly #told: Told[] = [];
  readonly #ended: Promise<unknown>;
  #waiting: (() => void)[] = [];

  /** @param script a file of TypeScript; what it is to do is its arguments */
  constructor(script: string, args: readonly string[], options: SpawnOptions = {}) {
    const reporter = join(import.meta.dirname, "reporter.ts");
    const given = options.stdio ?? ["ignore", "ignore", "inherit"];
    this.child = spawn(process.execPath, ["--import", reporter, script, ...args], {
      ...options,
      stdio: [...(given as ("pipe" | "ignore" | "inherit")[]), "pipe"],
    });
    this.#ended = once(this.child, "exit");
    createInterface(this.child.stdio[3] as Readable).on("line", (line) => {
      // eslint-disable-next-line no-restricted-syntax -- for tests only: reporter.ts, beside this file, writes it
      this.#told.push(JSON.parse(line) as Told);
      this.#wake();
    });
    void this.#ended.then(() => {
      this.#wake();
    });
  }

  /** Memory and turns as they are now, the longest turn from the last call on. */
  async before(): Promise<number> {
    await this.#newTold();
    const last = this.#told.at(-1);
    if (last === undefined) throw new Error("the program ended before it told anything");
    this.#told.length = 0;
    return last.residentBytes;
  }

  /**
   * What was done since `before` has taken little memory, and no turn of the loop was long.
   *
   * @param count of what it has to tell before: for a flood that goes on meanwhile, a twentieth of a second each
   */
  async expectBounded(residentBefore: number, count = 2): Promise<void> {
    await this.#newTold(count);
    const peak = Math.max(...this.#told.map(({ residentBytes }) => residentBytes));
    expect(peak - residentBefore, "bytes of growth").toBeLessThan(GROWTH_LIMIT);
    expect(Math.max(...this.#told.map(({ longestTurnMs }) => longestTurnMs)), "longest turn").toBeLessThan(
      TURN_LIMIT_MS,
    );
  }

  /** For a program that was given a pipe. */
  get stdin(): Writable {
    const { stdin } = this.child;
    if (stdin === null) throw new Error("the program was given no pipe for its input");
    return stdin;
  }

  /** Its exit status. */
  async exited(): Promise<number | null> {
    await this.#ended;
    return this.child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill("SIGKILL");
    await this.#ended;
  }

  /** Until it has told so often again, or has ended; the first may have been under way. */
  async #newTold(count = 2): Promise<void> {
    const enough = this.#told.length + count;
    while (this.#told.length < enough && this.child.exitCode === null && this.child.signalCode === null) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
