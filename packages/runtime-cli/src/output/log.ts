import { appendFileSync } from "node:fs";
import { escapeControls } from "@kata-ts/linux";
import type { CallLog, LogLevel, SystemLog } from "@kata-ts/runtime";
import { printError } from "./print.ts";

/** The first two are logrus's, for engines; the last is for people. */
type LogFormat = "text" | "json" | "plain";

/**
 * The log that `--log` names: shared by all calls about a container and by the engine, so it is only ever appended to,
 * one line an entry. Errors also go to standard error, where podman and people look.
 */
export class Log implements CallLog {
  readonly #file: string | undefined;
  readonly #format: LogFormat;
  #debug: boolean;
  #fields: Readonly<Record<string, string>>;
  #system: SystemLog | undefined;

  constructor(options: {
    readonly file: string | undefined;
    readonly format: LogFormat;
    readonly debug: boolean;
    /** What stands in each entry of the file beside its message. */
    readonly fields?: Readonly<Record<string, string>>;
  }) {
    this.#file = options.file;
    this.#format = options.format;
    this.#debug = options.debug;
    this.#fields = options.fields ?? {};
  }

  /** What `--debug` does, for callers that learn later that it is wanted. */
  enableDebug(): void {
    this.#debug = true;
  }

  /** What entries are about from now on, such as `container`. */
  about(fields: Readonly<Record<string, string>>): void {
    this.#fields = { ...this.#fields, ...fields };
  }

  /** From now on entries go to the host's log, too. */
  alsoTo(system: SystemLog): void {
    this.#system = system;
  }

  debug(message: string): void {
    if (this.#debug) this.#write("debug", message);
  }

  warning(message: string): void {
    this.#write("warning", message);
  }

  error(message: string): void {
    this.#write("error", message);
    if (this.#file !== undefined) printError(`${formatEntry("error", oneLine(message), "text")}\n`);
  }

  #write(level: LogLevel, text: string): void {
    const message = oneLine(text);
    this.#system?.write(level, message, this.#fields);
    if (this.#file === undefined) {
      printError(`${formatEntry(level, message, this.#format === "plain" ? "plain" : "text")}\n`);
      return;
    }
    try {
      appendFileSync(this.#file, `${formatEntry(level, message, this.#format, this.#fields)}\n`, { mode: 0o640 });
    } catch {
      return; // A log that cannot be written must not keep a container from being deleted.
    }
  }
}

/** It may hold what a guest said: what steers a terminal or the eye is made harmless. */
function oneLine(text: string): string {
  return escapeControls(text.replace(/\s*\n\s*/g, " "));
}

/** As logrus writes them: in quotes where a space would end them. */
function tail(fields: Readonly<Record<string, string>>): string {
  const words = Object.entries(fields).map(([name, value]) => {
    return ` ${name}=${/^[\w./:+@-]+$/.test(value) ? value : JSON.stringify(value)}`;
  });
  return words.join("");
}

/** One line of a log. */
export function formatEntry(
  level: LogLevel,
  message: string,
  format: LogFormat,
  fields: Readonly<Record<string, string>> = {},
): string {
  if (format === "plain") return level === "error" ? `kata: ${message}` : `kata: ${level}: ${message}`;
  const time = new Date().toISOString(); // To the millisecond: entries of several files are merged by it.
  if (format === "json") return JSON.stringify({ level, msg: message, time, ...fields });
  return `time=${JSON.stringify(time)} level=${level} msg=${JSON.stringify(message)}${tail(fields)}`;
}
