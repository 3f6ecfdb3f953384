import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readProcessStat } from "@kata-ts/linux";
import type { Kata } from "../kata.ts";

/** How long a step may take to be reached. */
const STEP_DEADLINE_MS = 60_000;

/** What a call of the runtime traces of itself with `--debug`: one after the other. */
export type Step =
  | "vm-started"
  | "agent-up"
  | "sandbox-created"
  | "container-created"
  | "container-started"
  | "exec-started"
  | "vm-ending"
  | "container-deleted";

/** How a call ended. */
export interface CallEnd {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

let serial = 0;

/** One call of the runtime, whose steps can be followed, and which can be held at one of them. */
export class Call implements AsyncDisposable {
  readonly child: ChildProcess;
  readonly ended: Promise<CallEnd>;
  readonly #log: string;
  #stderr = "";

  constructor(kata: Kata, args: readonly string[], stdin: "ignore" | "pipe" = "ignore") {
    this.#log = join(kata.directory, `call-${String(serial++)}.log`);
    const globals = ["--root", kata.root, ...kata.globals, "--debug", "--log", this.#log];
    // Its shim must not keep our pipes: a waiter for the call waits for its exit.
    this.child = spawn(kata.program, [...globals, ...args], { stdio: [stdin, "ignore", "pipe"] });
    this.child.stderr?.on("data", (chunk: Buffer) => {
      this.#stderr += chunk.toString();
    });
    this.ended = once(this.child, "exit").then(([status, signal]) => ({
      status: status as number | null,
      signal: signal as NodeJS.Signals | null,
      stderr: this.#stderr,
    }));
  }

  /** The last step that it came to. */
  get step(): Step | undefined {
    return this.steps.at(-1);
  }

  get steps(): Step[] {
    return [...this.#read().matchAll(/level=debug msg="[^"]*: ([a-z]+-[a-z]+)"/g)].map(([, step]) => step as Step);
  }

  /** Waits until it has come to a step. @throws Error when it ended before */
  async reach(step: Step): Promise<void> {
    const giveUpAt = Date.now() + STEP_DEADLINE_MS;
    while (!this.steps.includes(step)) {
      if (this.child.exitCode !== null)
        throw new Error(`the call ended before ${step}: ${this.#stderr}${this.#read()}`);
      if (Date.now() > giveUpAt) throw new Error(`the call did not come to ${step}: ${this.#read()}`);
      await delay(1);
    }
  }

  /** Stops it with SIGSTOP once it has come to a step. @throws Error when it has gone further, or ended */
  async holdAt(step: Step): Promise<void> {
    await this.reach(step);
    this.child.kill("SIGSTOP");
    while (readProcessStat(this.pid)?.state !== "T") await delay(1);
    if (this.step !== step) throw new Error(`the call went on from ${step} to ${String(this.step)}`);
  }

  goOn(): void {
    this.child.kill("SIGCONT");
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGKILL");
    await this.ended;
  }

  #read(): string {
    try {
      return readFileSync(this.#log, "utf8");
    } catch {
      return "";
    }
  }
}
