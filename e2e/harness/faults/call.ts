import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { readProcessStat } from "@kata-ts/linux";
import type { Kata } from "../kata.ts";
import { LogGate } from "./log-gate.ts";

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
  readonly #log: LogGate;
  readonly #over: AbortController = new AbortController();
  #holdAt: Step | undefined;
  #goOn = Promise.withResolvers<void>();
  #stderr = "";

  constructor(kata: Kata, args: readonly string[], stdin: "ignore" | "pipe" = "ignore") {
    const log = join(kata.directory, `call-${String(serial++)}.log`);
    this.#log = new LogGate(log);
    const globals = ["--root", kata.root, ...kata.globals, "--debug", "--log", log];
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
    void this.ended.finally(() => {
      this.#over.abort();
    });
    void this.#follow().catch(() => undefined);
  }

  /** Lets it write its log line by line, until one is of the step that it is to be held at. */
  async #follow(): Promise<void> {
    for (;;) {
      await this.#log.passNext(this.pid, this.#over.signal);
      if (this.#holdAt === undefined || this.step !== this.#holdAt) continue;
      this.child.kill("SIGSTOP");
      this.#holdAt = undefined;
      await this.#goOn.promise;
    }
  }

  /** The last step that it came to. */
  get step(): Step | undefined {
    return this.steps.at(-1);
  }

  get steps(): Step[] {
    return [...this.#log.text.matchAll(/level=debug msg="[^"]*: ([a-z]+-[a-z]+)"/g)].map(([, step]) => step as Step);
  }

  /** Waits until it has come to a step. @throws Error when it ended before */
  async reach(step: Step): Promise<void> {
    const giveUpAt = Date.now() + STEP_DEADLINE_MS;
    while (!this.steps.includes(step)) {
      if (this.child.exitCode !== null)
        throw new Error(`the call ended before ${step}: ${this.#stderr}${this.#log.text}`);
      if (Date.now() > giveUpAt) throw new Error(`the call did not come to ${step}: ${this.#log.text}`);
      await delay(1);
    }
  }

  /**
   * Stops it with SIGSTOP once it has come to a step: it does not come to the next one before. To be called before it is there.
   *
   * @throws Error when it has gone further, or ended
   */
  async holdAt(step: Step): Promise<void> {
    if (this.steps.includes(step)) throw new Error(`the call has come to ${step} before it was to be held there`);
    this.#holdAt = step;
    await this.reach(step);
    while (readProcessStat(this.pid)?.state !== "T") await delay(1);
    if (this.step !== step) throw new Error(`the call went on from ${step} to ${String(this.step)}`);
  }

  goOn(): void {
    this.#goOn.resolve();
    this.#goOn = Promise.withResolvers();
    this.child.kill("SIGCONT");
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill("SIGKILL");
    await this.ended;
  }
}
