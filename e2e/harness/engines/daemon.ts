import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import type { EngineRoot } from "./root/engine-root.ts";

export interface DaemonOptions {
  /** Path of the network namespace to live in. */
  readonly namespace: string;
  /** Where its program is. */
  readonly root: EngineRoot;
  readonly command: readonly [file: string, ...args: string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** What it writes to standard error once it serves. */
  readonly ready: RegExp;
}

const STOP_DEADLINE_MS = 30_000;

/** An engine's daemon in a network namespace of its own; its last words are kept for when it fails. */
export class Daemon implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: string[];
  readonly #reader: Interface;

  private constructor(child: ChildProcess, lines: string[], reader: Interface) {
    this.#child = child;
    this.#lines = lines;
    this.#reader = reader;
  }

  static async start({ namespace, root, command, env, ready }: DaemonOptions): Promise<Daemon> {
    // Not `ip netns exec`: that hides /sys/fs/cgroup.
    const child = spawn("nsenter", [`--net=${namespace}`, root.mount, ...command], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...env },
    });
    const lines: string[] = [];
    const serving = Promise.withResolvers<undefined>();
    const reader = createInterface(child.stderr).on("line", (line) => {
      lines.push(line);
      if (ready.test(line)) serving.resolve(undefined);
    });
    child.once("exit", () => {
      serving.reject(new Error(`${command[0]} ended:\n${lines.slice(-20).join("\n")}`));
    });
    await serving.promise;
    return new Daemon(child, lines, reader);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get log(): readonly string[] {
    return this.#lines;
  }

  /** Resolves when it has written another line. */
  async nextLine(signal: AbortSignal): Promise<void> {
    await once(this.#reader, "line", { signal });
  }

  /** As a crash would end it. */
  async kill(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), STOP_DEADLINE_MS);
    await ended;
    clearTimeout(timer);
  }
}
