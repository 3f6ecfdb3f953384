import type { Signal } from "./abort-error.ts";
import { invalidArgument, nodeError, outOfRange } from "./errors.ts";
import { SIGNALS } from "./signal-numbers.ts";
import { NONE } from "./spawn-program.ts";

/** A descriptor by its number, what has one, such as a socket, or a word. */
export type StandardStream = "pipe" | "ignore" | "inherit" | "overlapped" | number | object | null | undefined;

/** What a program is started with, whether it is waited for or not. */
export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdio?: StandardStream | readonly StandardStream[];
  readonly detached?: boolean;
  readonly argv0?: string;
  /** Milliseconds, after which the program is sent the signal; 0 for no end. */
  readonly timeout?: number;
  /** SIGTERM by default. */
  readonly killSignal?: string | number;
}

export interface SpawnOptions extends StartOptions {
  /** Ends it by `killSignal`. */
  readonly signal?: Signal;
}

/** What is given to all calls. The last one is for Windows, and means nothing here. */
const COMMON = ["cwd", "env", "stdio", "detached", "argv0", "timeout", "killSignal", "windowsHide"];

/**
 * An option that is not known would be ignored in silence: a program would run with more rights, or for longer, than it was to.
 *
 * @param more options of the call beside those of all
 * @throws Error ERR_FEATURE_UNAVAILABLE_ON_PLATFORM for an option of Node's that is not here, or errors as Node's for wrong values
 */
export function checkOptions(options: object, more: readonly string[]): void {
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    if (value === undefined || value === null || value === false) continue;
    if (COMMON.includes(name) || more.includes(name)) continue;
    throw unavailable(`the option "${name}" of a program that is started`);
  }
  const { cwd, timeout, killSignal } = options as Readonly<Record<string, unknown>>;
  if (cwd !== undefined && cwd !== null && typeof cwd !== "string")
    throw invalidArgument("options.cwd", "of type string", cwd);
  if (timeout !== undefined && timeout !== null && !(Number.isInteger(timeout) && (timeout as number) >= 0)) {
    throw outOfRange("timeout", "an integer >= 0", timeout);
  }
  if (killSignal !== undefined && killSignal !== null) signalNumber(killSignal as string | number);
}

/** @throws TypeError ERR_UNKNOWN_SIGNAL */
export function signalNumber(signal: string | number): number {
  if (typeof signal === "number") return signal;
  const number = SIGNALS[signal];
  if (number === undefined) throw nodeError("ERR_UNKNOWN_SIGNAL", `Unknown signal: ${signal}`, TypeError);
  return number;
}

/** What each descriptor of a program is to be: a word, or a descriptor of ours, which stays ours. */
export function descriptorsOf(stdio: StartOptions["stdio"] = "pipe"): ("pipe" | "ignore" | number)[] {
  const list: StandardStream[] = Array.isArray(stdio) ? [...(stdio as StandardStream[])] : [stdio, stdio, stdio];
  while (list.length < 3) list.push("pipe");
  return list.map(descriptorOf);
}

function descriptorOf(stream: StandardStream, index: number): "pipe" | "ignore" | number {
  if (stream === undefined || stream === null) return index < 3 ? "pipe" : NONE;
  if (stream === "ignore" && index > 2) return NONE;
  if (stream === "inherit") return index;
  if (stream === "overlapped") return "pipe";
  if (stream === "pipe" || stream === "ignore" || typeof stream === "number") return stream;
  if ((stream as unknown) === "ipc") throw unavailable("a channel to a program that is started");
  const { fd, _handle } = stream as { readonly fd?: unknown; readonly _handle?: { readonly fd?: unknown } };
  const number = typeof fd === "number" ? fd : _handle?.fd;
  if (typeof number === "number" && number >= 0) return number;
  const message = `The argument 'stdio' is invalid. Received ${typeof stream === "string" ? `'${String(stream)}'` : typeof stream}`;
  throw nodeError("ERR_INVALID_ARG_VALUE", message, TypeError);
}

function unavailable(what: string): Error {
  return nodeError("ERR_FEATURE_UNAVAILABLE_ON_PLATFORM", `${what} is not in packages/quickjs`, TypeError);
}

/** NAME=value of each variable that has a value. */
export function entriesOf(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}
