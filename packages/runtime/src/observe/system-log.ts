import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { LogLevel } from "./log-level.ts";

export type SystemLogKind = "syslog" | "journald";

/** syslog's numbers. */
const PRIORITIES: Readonly<Record<LogLevel, number>> = { error: 3, warning: 4, info: 6, debug: 7 };
const NAMES: Readonly<Record<LogLevel, string>> = { error: "err", warning: "warning", info: "info", debug: "debug" };
const DEADLINE_MS = 2_000;
/** Lines that wait for the log of a host without time; later ones are dropped. */
const MAX_WAITING = 1_000;

/**
 * The host's log, by util-linux's logger: it comes with setpriv, which every host of sandboxes has, and knows both. A log that
 * cannot be written must not keep a container from being deleted: the first failure goes to `warn`.
 */
export class SystemLog {
  readonly #kind: SystemLogKind;
  readonly #warn: (message: string) => void;
  readonly #program: string;
  #hasFailed = false;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(kind: SystemLogKind, warn: (message: string) => void, program = "logger") {
    this.#kind = kind;
    this.#warn = warn;
    this.#program = program;
  }

  /** @param message one line; @param fields such as `sandbox` */
  write(level: LogLevel, message: string, fields: Readonly<Record<string, string>>): void {
    if (this.#hasFailed) return;
    const { args, input } = this.#callFor(level, message, fields);
    const { status, error } = spawnSync(this.#program, args, {
      input,
      timeout: DEADLINE_MS,
      stdio: ["pipe", "ignore", "ignore"],
    });
    if (status !== 0) this.#giveUp(error?.message ?? endedWith(status));
  }

  /** As write(), in its turn, while the caller goes on: a process that serves a pod cannot wait for a program at each line. */
  writeLater(level: LogLevel, message: string, fields: Readonly<Record<string, string>>): void {
    if (this.#waiting >= MAX_WAITING) return;
    this.#waiting += 1;
    const call = this.#callFor(level, message, fields);
    this.#last = this.#last.then(async () => {
      if (!this.#hasFailed)
        await this.#run(call).catch((error: unknown) => {
          this.#giveUp(error instanceof Error ? error.message : String(error));
        });
      this.#waiting -= 1;
    });
  }

  /** Resolves once each line of writeLater() is written, or given up. */
  flush(): Promise<void> {
    return this.#last;
  }

  async #run({ args, input }: Call): Promise<void> {
    const child = spawn(this.#program, args, {
      timeout: DEADLINE_MS,
      killSignal: "SIGKILL",
      stdio: ["pipe", "ignore", "ignore"],
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    const [status] = (await once(child, "exit")) as [number | null];
    if (status !== 0) throw new Error(endedWith(status));
  }

  #callFor(level: LogLevel, message: string, fields: Readonly<Record<string, string>>): Call {
    return this.#kind === "journald" ? forJournal(level, message, fields) : forSyslog(level, message, fields);
  }

  #giveUp(reason: string): void {
    this.#hasFailed = true;
    this.#warn(`nothing is written to ${this.#kind}: ${reason}`);
  }
}

function endedWith(status: number | null): string {
  return `logger ended with ${String(status)}`;
}

interface Call {
  readonly args: readonly string[];
  readonly input: string;
}

function forSyslog(level: LogLevel, message: string, fields: Readonly<Record<string, string>>): Call {
  const { name = "kata-runtime", pid = "", ...others } = fields;
  const tail = Object.entries(others).map(([key, value]) => ` ${key}=${value}`);
  const args = ["--socket-errors=on", "--tag", name, `--id=${pid}`, "--priority", `daemon.${NAMES[level]}`];
  return { args, input: `level=${level} msg=${JSON.stringify(message)}${tail.join("")}\n` };
}

function forJournal(level: LogLevel, message: string, fields: Readonly<Record<string, string>>): Call {
  const { name = "kata-runtime", pid = "", ...others } = fields;
  const own = { MESSAGE: message, PRIORITY: String(PRIORITIES[level]), SYSLOG_IDENTIFIER: name, SYSLOG_PID: pid };
  const kata = Object.entries(others).map(([key, value]) => [`KATA_${key.toUpperCase()}`, value] as const);
  const lines = [...Object.entries(own), ...kata].map(([key, value]) => `${key}=${value}`);
  return { args: ["--journald"], input: `${lines.join("\n")}\n` };
}
