import { appendFileSync } from "node:fs";
import { printError } from "./print.ts";

export type LogLevel = "debug" | "info" | "warning" | "error";

/** The first two are logrus's, for engines; the last is for people. */
type LogFormat = "text" | "json" | "plain";

/**
 * The log that `--log` names: shared by all calls about a container and by the engine, so it is only ever appended to,
 * one line an entry. Errors also go to standard error, where podman and people look.
 */
export class Log {
  readonly #file: string | undefined;
  readonly #format: LogFormat;
  #debug: boolean;

  constructor(options: {
    readonly file: string | undefined;
    readonly format: LogFormat;
    readonly debug: boolean;
  }) {
    this.#file = options.file;
    this.#format = options.format;
    this.#debug = options.debug;
  }

  /** What `--debug` does, for those who learn only later that it is wanted. */
  enableDebug(): void {
    this.#debug = true;
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
    if (this.#file === undefined) {
      printError(`${formatEntry(level, message, this.#format === "plain" ? "plain" : "text")}\n`);
      return;
    }
    try {
      appendFileSync(this.#file, `${formatEntry(level, message, this.#format)}\n`, { mode: 0o640 });
    } catch {
      return; // A log that cannot be written must not keep a container from being deleted.
    }
  }
}

/** It may hold what a guest said: control characters are made harmless. */
function oneLine(text: string): string {
  return text
    .replace(/\s*\n\s*/g, " ")
    .replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}

/** One line of a log. */
export function formatEntry(level: LogLevel, message: string, format: LogFormat): string {
  if (format === "plain") return level === "error" ? `kata: ${message}` : `kata: ${level}: ${message}`;
  const time = `${new Date().toISOString().slice(0, 19)}Z`;
  if (format === "json") return JSON.stringify({ level, msg: message, time });
  return `time=${JSON.stringify(time)} level=${level} msg=${JSON.stringify(message)}`;
}
