import { type SpawnOptions, spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import type { Reaper } from "./reaper.ts";

export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly stdio?: SpawnOptions["stdio"];
  /** What it reads from its standard input. */
  readonly input?: string;
  /** Milliseconds until the command is killed. */
  readonly deadlineMs?: number;
}

/** Runs the guest's small helper programs. */
export class Commands {
  readonly #reaper: Reaper;

  constructor(reaper: Reaper) {
    this.#reaper = reaper;
  }

  /** Never rejects for a failing command: its status tells (127 when it could not be started). */
  async run(file: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const { input } = options;
    const stdin = input === undefined ? "ignore" : "pipe";
    const child = spawn(file, args, { stdio: options.stdio ?? [stdin, "pipe", "pipe"] });
    child.stdin?.on("error", () => undefined); // It ended before it had read all: its status tells.
    child.stdin?.end(input);
    this.#reaper.leaveToNode(child);
    const timer = setTimeout(() => child.kill("SIGKILL"), options.deadlineMs ?? 30_000);
    const stdout = child.stdout === null ? Promise.resolve("") : text(child.stdout);
    const stderr = child.stderr === null ? Promise.resolve("") : text(child.stderr);
    const status = await new Promise<number>((resolve) => {
      child.once("error", () => {
        resolve(127);
      });
      child.once("exit", (code, signal) => {
        resolve(code ?? (signal === "SIGKILL" ? 137 : 128));
      });
    });
    clearTimeout(timer);
    return { status, stdout: await stdout, stderr: await stderr };
  }
}
