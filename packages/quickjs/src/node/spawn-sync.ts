import { Buffer } from "./buffer.ts";
import { ERRORS, errorName } from "./errno.ts";
import { systemError } from "./errors.ts";
import { followToEnd } from "./follow-to-end.ts";
import { closeSync, openSync } from "./fs/files.ts";
import { libc, succeed, tryLibc } from "./libc.ts";
import process from "./process.ts";
import { signalName } from "./signal-numbers.ts";
import { checkOptions, descriptorsOf, entriesOf, type StartOptions, signalNumber } from "./spawn-options.ts";
import { spawnProgram } from "./spawn-program.ts";

const O_CLOEXEC = 0o2000000;
const PIDFD_OPEN = 434;
const SIGKILL = 9;
const MAX_BUFFER = 2 ** 20;

export interface SyncOptions extends StartOptions {
  readonly input?: string | Uint8Array;
  readonly encoding?: string | null;
  /** Bytes of each output; the program is ended when it writes more. */
  readonly maxBuffer?: number;
}

interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly error?: Error;
}

interface SyncResult extends Ended {
  readonly pid: number;
  readonly stdout: Buffer | string;
  readonly stderr: Buffer | string;
}

/** What a program's descriptors are made of here. */
class Descriptors {
  readonly ours: (number | undefined)[] = [];
  readonly theirs: number[] = [];
  readonly #made: number[] = [];

  add(kind: "pipe" | "ignore" | number, index: number): void {
    this.theirs[index] = typeof kind === "number" ? kind : kind === "pipe" ? this.#pipe(index) : this.#nothing();
  }

  /** The program has its own by now, or will have none. */
  closeTheirs(): void {
    for (const fd of this.#made.splice(0)) closeSync(fd);
  }

  closeOurs(): void {
    for (const fd of this.ours.splice(0)) if (fd !== undefined) closeSync(fd);
  }

  #nothing(): number {
    const fd = openSync("/dev/null", "r+");
    this.#made.push(fd);
    return fd;
  }

  #pipe(index: number): number {
    const ends = Buffer.alloc(8);
    libc("pipe2", ends, O_CLOEXEC);
    const [from, to] = [ends.readInt32LE(0), ends.readInt32LE(4)];
    const [own, other] = index === 0 ? [to, from] : [from, to];
    this.ours[index] = own;
    this.#made.push(other);
    return other;
  }
}

/** Runs a program to its end; nothing else happens meanwhile. */
export function spawnSync(file: string, ...rest: readonly (readonly string[] | SyncOptions | undefined)[]): SyncResult {
  const args = (rest.find((part) => Array.isArray(part)) ?? []) as readonly string[];
  const options = (rest.find((part) => part !== undefined && !Array.isArray(part)) ?? {}) as SyncOptions;
  checkOptions(options, ["input", "encoding", "maxBuffer"]);
  const kinds = descriptorsOf(options.stdio);
  const descriptors = new Descriptors();
  try {
    for (const [index, kind] of kinds.entries()) descriptors.add(kind, index);
    return start(file, [options.argv0 ?? file, ...args], descriptors, options);
  } catch (error) {
    const { errno } = error as { readonly errno?: number };
    if (errno === undefined) throw error;
    const [stdout, stderr] = [textOf(Buffer.alloc(0), options), textOf(Buffer.alloc(0), options)];
    return { pid: 0, status: null, signal: null, stdout, stderr, error: spawnError(-errno, file) };
  } finally {
    descriptors.closeTheirs();
    descriptors.closeOurs();
  }
}

/** @throws a system error where it does not run, or its end could not be heard of */
function start(file: string, argv: readonly string[], descriptors: Descriptors, options: SyncOptions): SyncResult {
  const { env = process.env, input, timeout = 0, killSignal = "SIGTERM", maxBuffer = MAX_BUFFER } = options;
  const program = { ...options, env: entriesOf(env), descriptors: descriptors.theirs };
  const pid = succeed(spawnProgram(file, argv, program), "spawn");
  descriptors.closeTheirs();
  const ended = tryLibc("syscall", PIDFD_OPEN, pid, 0);
  if (ended < 0) {
    tryLibc("kill", pid, SIGKILL);
    waitFor(pid);
    throw systemError(-ended, "pidfd_open");
  }
  const [fd, ...outputs] = descriptors.ours.splice(0);
  const bytes = typeof input === "string" ? Buffer.from(input) : (input ?? Buffer.alloc(0));
  const { parts, reason } = followToEnd({
    ...(fd === undefined ? {} : { input: { fd, bytes } }),
    outputs,
    ended,
    timeout,
    maxBuffer,
    stop: () => tryLibc("kill", pid, signalNumber(killSignal)),
  });
  const [stdout, stderr] = [0, 1].map((index) => textOf(parts[index] ?? Buffer.alloc(0), options));
  const failure = reason === undefined ? {} : { error: spawnError(ERRORS[reason][0], file) };
  return { pid, stdout: stdout ?? "", stderr: stderr ?? "", ...waitFor(pid), ...failure };
}

/** @throws Error where it fails, with its status and its output */
export function execFileSync(
  file: string,
  ...rest: Parameters<typeof spawnSync> extends [string, ...infer R] ? R : never
): Buffer | string {
  const result = spawnSync(file, ...rest);
  if (result.error !== undefined) throw result.error;
  if (result.status === 0) return result.stdout;
  throw Object.assign(
    new Error(
      `Command failed: ${[file, ...(Array.isArray(rest[0]) ? (rest[0] as string[]) : [])].join(" ")}\n${String(result.stderr)}`,
    ),
    result,
  );
}

function textOf(bytes: Buffer, { encoding }: SyncOptions): Buffer | string {
  return encoding === undefined || encoding === null || encoding === "buffer" ? bytes : bytes.toString(encoding);
}

function spawnError(errno: number, file: string): Error {
  const message = `spawnSync ${file} ${errorName(errno)}`;
  return Object.assign(systemError(errno, `spawnSync ${file}`, { path: file }), { message });
}

/** A status that cannot be had is an error, and none of success. */
function waitFor(pid: number): Ended {
  const value = Buffer.alloc(4);
  const result = tryLibc("waitpid", pid, value, 0);
  if (result < 0) return { status: null, signal: null, error: systemError(-result, "waitpid") };
  const signal = value.readInt32LE() & 0x7f;
  return signal === 0
    ? { status: (value.readInt32LE() >> 8) & 0xff, signal: null }
    : { status: null, signal: signalName(signal) ?? null };
}
