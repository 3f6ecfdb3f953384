import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { Kata } from "./kata.ts";

const ANSWER = "import sys, time\nfor line in sys.stdin: print(repr(time.time()), flush=True)";
const QUESTIONS = 20;
/** Date.now() counts whole milliseconds. performance.timeOrigin has a fraction, but misses what the host's clock is set by later. */
const HALF_A_TICK_MS = 0.5;

/** A program in a container that tells the time as often as it is asked: by how long it takes, the answer is as exact. */
export class GuestClock implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  /** @param id of a container that has Python */
  constructor(kata: Kata, id: string) {
    const args = ["--root", kata.root, ...kata.globals, "exec", id, "python3", "-c", ANSWER];
    this.#child = spawn(kata.program, args, { stdio: ["pipe", "pipe", "inherit"] });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error("no pipe");
    this.#lines = createInterface({ input: stdout });
  }

  /**
   * How many milliseconds the guest's clock is behind the host's; negative where it is ahead. 0 where the way there and back
   * took longer than the difference: it cannot be told then.
   */
  async behind(): Promise<number> {
    let best = { took: Number.POSITIVE_INFINITY, behind: Number.NaN };
    for (let asked = 0; asked < QUESTIONS; asked += 1) {
      const answered = once(this.#lines, "line") as Promise<[string]>;
      const began = performance.now();
      const before = Date.now() + HALF_A_TICK_MS;
      this.#child.stdin?.write("\n");
      const [text] = await answered;
      const took = performance.now() - began;
      if (took < best.took) best = { took, behind: before + took / 2 - Number(text) * 1000 };
    }
    const certain = Math.max(0, Math.abs(best.behind) - best.took / 2 - HALF_A_TICK_MS);
    return Math.sign(best.behind) * certain;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin?.end();
    this.#lines.close();
    if (this.#child.exitCode === null) await once(this.#child, "exit");
  }
}
