import { Buffer } from "./buffer.ts";
import { ERRORS } from "./errno.ts";
import { libc } from "./libc.ts";
import { architecture, systemNames } from "./machine.ts";
import process from "./process.ts";
import { SIGNALS } from "./signal-numbers.ts";

type Numbers = Readonly<Record<string, number>>;

export const constants: { readonly signals: Numbers; readonly errno: Numbers } = {
  signals: SIGNALS,
  errno: Object.fromEntries(Object.entries(ERRORS).map(([name, [number]]) => [name, number])),
};

export const EOL = "\n";

export function hostname(): string {
  return systemNames().hostname;
}

export function release(): string {
  return systemNames().release;
}

export function type(): string {
  return systemNames().sysname;
}

export function platform(): string {
  return "linux";
}

export function arch(): string {
  return architecture();
}

export function endianness(): "LE" {
  return "LE";
}

export function tmpdir(): string {
  const { TMPDIR, TMP, TEMP } = process.env;
  const directory = TMPDIR ?? TMP ?? TEMP ?? "/tmp";
  return directory.length > 1 ? directory.replace(/\/$/, "") : directory;
}

export function homedir(): string {
  return process.env.HOME ?? "/root";
}

/** Processors that this program may run on. */
export function availableParallelism(): number {
  const set = Buffer.alloc(1024);
  libc("sched_getaffinity", 0, set.length, set);
  return set.reduce((sum, byte) => sum + bits(byte), 0);
}

function bits(byte: number): number {
  let count = 0;
  for (let rest = byte; rest > 0; rest >>= 1) count += rest & 1;
  return count;
}
