import { Buffer } from "./buffer.ts";
import { ERRORS } from "./errno.ts";
import { readFileSync } from "./fs/whole-files.ts";
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

export function version(): string {
  return systemNames().version;
}

/** As the kernel names it; arch() has Node's word. */
export function machine(): string {
  return systemNames().machine;
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

/** Bytes that the kernel has for all programs; 0 where /proc does not say it. */
export function totalmem(): number {
  return Number(/^MemTotal: *(\d+) kB$/m.exec(textOf("/proc/meminfo"))?.[1] ?? 0) * 1024;
}

export interface Processor {
  readonly model: string;
  /** Megahertz; 0 where the kernel does not say it. */
  readonly speed: number;
  /** Milliseconds. */
  readonly times: Readonly<Record<"user" | "nice" | "sys" | "idle" | "irq", number>>;
}

/** Of /proc/stat, which counts in hundredths of a second. */
const TICK_MS = 10;
const PROCESSORS = "/sys/devices/system/cpu";

/** One for each processor that is online. */
export function cpus(): Processor[] {
  const sections = textOf("/proc/cpuinfo").split("\n\n");
  return [...textOf("/proc/stat").matchAll(/^cpu(\d+) (.*)$/gm)].map(([, number = "", line = ""]) => {
    const section = sections.find((each) => new RegExp(`^processor\\s*: ${number}$`, "m").test(each)) ?? "";
    const [user = 0, nice = 0, sys = 0, idle = 0, , irq = 0] = line.split(" ").map((ticks) => Number(ticks) * TICK_MS);
    return {
      model: /^model name\s*: (.*)$/m.exec(section)?.[1] ?? "unknown",
      speed: Math.trunc(Number(textOf(`${PROCESSORS}/cpu${number}/cpufreq/scaling_cur_freq`)) / 1000),
      times: { user, nice, sys, idle, irq },
    };
  });
}

function textOf(path: string): string {
  try {
    return String(readFileSync(path, "latin1"));
  } catch {
    return "";
  }
}
