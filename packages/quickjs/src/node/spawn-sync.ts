import { read } from "kata:native";
import { Buffer } from "./buffer.ts";
import { systemError } from "./errors.ts";
import { closeSync, openSync, writeSync } from "./fs/files.ts";
import { libc, tryLibc } from "./libc.ts";
import process from "./process.ts";
import { signalName } from "./signal-numbers.ts";
import { spawnProgram } from "./spawn-program.ts";

const O_CLOEXEC = 0o2000000;
const POLLIN = 1;
const CHUNK = 64 * 1024;

export interface SyncOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Small: it is written to a pipe before the program reads. */
  readonly input?: string | Uint8Array;
  readonly encoding?: string | null;
  readonly stdio?: "inherit" | "ignore" | "pipe" | readonly (string | number)[];
}

interface SyncResult {
  readonly pid: number;
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: Buffer | string;
  readonly stderr: Buffer | string;
  readonly error?: Error;
}

/** Runs a program to its end; nothing else happens meanwhile. */
export function spawnSync(file: string, ...rest: readonly (readonly string[] | SyncOptions | undefined)[]): SyncResult {
  const args = (rest.find((part) => Array.isArray(part)) ?? []) as readonly string[];
  const options = (rest.find((part) => part !== undefined && !Array.isArray(part)) ?? {}) as SyncOptions;
  const kinds = Array.from({ length: 3 }, (_, index) => kindOf(options, index));
  const ours: number[] = [];
  const theirs = kinds.map((kind, index) => {
    if (typeof kind === "number") return kind;
    if (kind === "ignore") return openSync("/dev/null", "r+");
    const ends = Buffer.alloc(8);
    libc("pipe2", ends, O_CLOEXEC);
    const [from, to] = [ends.readInt32LE(0), ends.readInt32LE(4)];
    ours[index] = index === 0 ? to : from;
    return index === 0 ? from : to;
  });
  const { cwd, env = process.env, encoding } = options;
  const entries = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
  const place = cwd === undefined ? {} : { cwd };
  const pid = spawnProgram(file, [file, ...args], { ...place, env: entries, descriptors: theirs });
  for (const [index, fd] of theirs.entries()) if (typeof kinds[index] !== "number") closeSync(fd);
  if (ours[0] !== undefined) {
    const { input } = options;
    if (pid > 0 && input !== undefined) writeSync(ours[0], typeof input === "string" ? Buffer.from(input) : input);
    closeSync(ours[0]);
  }
  const [stdout, stderr] = readBoth([ours[1], ours[2]]).map((all) => textOf(all, encoding)) as [Buffer, Buffer];
  if (pid < 0) {
    const error = systemError(-pid, `spawnSync ${file}`, { path: file });
    return { pid: 0, status: null, signal: null, stdout, stderr, error };
  }
  return { pid, stdout, stderr, ...waitFor(pid) };
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

/** A number is a descriptor of ours that the program gets, and stays ours. */
function kindOf({ stdio = "pipe" }: SyncOptions, index: number): string | number {
  const kind = typeof stdio === "string" ? stdio : (stdio[index] ?? "pipe");
  return kind === "inherit" ? index : kind;
}

function textOf(bytes: Buffer, encoding: SyncOptions["encoding"]): Buffer | string {
  return encoding === undefined || encoding === null || encoding === "buffer" ? bytes : bytes.toString(encoding);
}

/** Until both have ended, by turns: a program waits where one of them is full. */
function readBoth(descriptors: readonly (number | undefined)[]): Buffer[] {
  const parts: Buffer[][] = descriptors.map(() => []);
  const open = new Map([...descriptors.entries()].filter((entry): entry is [number, number] => entry[1] !== undefined));
  while (open.size > 0) {
    const list = [...open];
    const entries = Buffer.alloc(8 * list.length);
    for (const [at, [, fd]] of list.entries()) {
      entries.writeInt32LE(fd, 8 * at);
      entries.writeInt16LE(POLLIN, 8 * at + 4);
    }
    tryLibc("poll", entries, list.length, -1);
    for (const [at, [index, fd]] of list.entries()) {
      if (entries.readUInt16LE(8 * at + 6) === 0) continue;
      const part = Buffer.allocUnsafe(CHUNK);
      const count = read(fd, part, 0, CHUNK, -1);
      if (count > 0) parts[index]?.push(part.subarray(0, count));
      else if (open.delete(index)) closeSync(fd);
    }
  }
  return parts.map((each) => Buffer.concat(each));
}

function waitFor(pid: number): { status: number | null; signal: string | null } {
  const value = Buffer.alloc(4);
  tryLibc("waitpid", pid, value, 0);
  const signal = value.readInt32LE() & 0x7f;
  return signal === 0
    ? { status: (value.readInt32LE() >> 8) & 0xff, signal: null }
    : { status: null, signal: signalName(signal) ?? null };
}
