import { spawnSync } from "node:child_process";
import type { LogLevel } from "./log-level.ts";

export type SystemLogKind = "syslog" | "journald";

/** syslog's numbers. */
const PRIORITIES: Readonly<Record<LogLevel, number>> = { error: 3, warning: 4, info: 6, debug: 7 };
const NAMES: Readonly<Record<LogLevel, string>> = { error: "err", warning: "warning", info: "info", debug: "debug" };
const DEADLINE_MS = 2_000;

/**
 * The host's log, by util-linux's logger: it comes with setpriv, which every host of sandboxes has, and knows both. A log that
 * cannot be written must not keep a container from being deleted: the first failure is told, to `warn`.
 */
export class SystemLog {
  readonly #kind: SystemLogKind;
  readonly #warn: (message: string) => void;
  readonly #program: string;
  #hasFailed = false;

  constructor(kind: SystemLogKind, warn: (message: string) => void, program = "logger") {
    this.#kind = kind;
    this.#warn = warn;
    this.#program = program;
  }

  /** @param message one line; @param fields such as `sandbox` */
  write(level: LogLevel, message: string, fields: Readonly<Record<string, string>>): void {
    if (this.#hasFailed) return;
    const { args, input } =
      this.#kind === "journald" ? forJournal(level, message, fields) : forSyslog(level, message, fields);
    const { status, error } = spawnSync(this.#program, args, {
      input,
      timeout: DEADLINE_MS,
      stdio: ["pipe", "ignore", "ignore"],
    });
    if (status === 0) return;
    this.#hasFailed = true;
    this.#warn(`nothing is written to ${this.#kind}: ${error?.message ?? `logger ended with ${String(status)}`}`);
  }
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
