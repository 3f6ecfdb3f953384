import type { SpecBlockIO, SpecCpu, SpecMemory, SpecResources } from "@kata-ts/agent-protocol";
import { type Options, type OptionTable, UsageError } from "../arguments/parse.ts";

/** runc's spellings. */
export const UPDATE_OPTIONS: OptionTable = {
  resources: {
    type: "string",
    short: "r",
    value: "FILE",
    about: "limits as linux.resources of config.json; - is standard input",
  },
  "blkio-weight": { type: "string", value: "N", about: "weight of block I/O, 10 to 1000" },
  "cpu-period": { type: "string", value: "US", about: "period of the CPU quota, microseconds" },
  "cpu-quota": { type: "string", value: "US", about: "CPU time in a period, microseconds" },
  "cpu-share": { type: "string", value: "N", about: "weight among containers" },
  "cpu-rt-period": { type: "string", value: "US", about: "period of the real-time quota" },
  "cpu-rt-runtime": { type: "string", value: "US", about: "real-time CPU time in a period" },
  "cpuset-cpus": { type: "string", value: "LIST", about: "CPUs it may run on, such as 0-1,3" },
  "cpuset-mems": { type: "string", value: "LIST", about: "memory nodes it may use" },
  "kernel-memory": { type: "string", value: "SIZE", about: "limit of kernel memory" },
  "kernel-memory-tcp": { type: "string", value: "SIZE", about: "limit of TCP buffers" },
  memory: { type: "string", value: "SIZE", about: "limit of memory, such as 512m; -1 for none" },
  "memory-reservation": { type: "string", value: "SIZE", about: "soft limit of memory" },
  "memory-swap": { type: "string", value: "SIZE", about: "limit of memory and swap" },
  "pids-limit": { type: "string", value: "N", about: "limit of processes" },
  "l3-cache-schema": { type: "string", value: "TEXT", about: "refused: resctrl is the host's" },
  "mem-bw-schema": { type: "string", value: "TEXT", about: "refused: resctrl is the host's" },
};

/** @throws UsageError for a value that is none, and for what a guest does not have */
export function resourcesFromOptions(options: Options): SpecResources {
  for (const name of ["l3-cache-schema", "mem-bw-schema"]) {
    if (options.text(name) !== undefined) throw new UsageError(`--${name}: resctrl is the host's, not the guest's`);
  }
  const memory: SpecMemory = defined({
    limit: bytes(options, "memory"),
    reservation: bytes(options, "memory-reservation"),
    swap: bytes(options, "memory-swap"),
    kernel: bytes(options, "kernel-memory"),
    kernelTCP: bytes(options, "kernel-memory-tcp"),
  });
  const cpu: SpecCpu = defined({
    shares: integer(options, "cpu-share"),
    quota: integer(options, "cpu-quota"),
    period: integer(options, "cpu-period"),
    realtimePeriod: integer(options, "cpu-rt-period"),
    realtimeRuntime: integer(options, "cpu-rt-runtime"),
    cpus: options.text("cpuset-cpus"),
    mems: options.text("cpuset-mems"),
  });
  const blockIO: SpecBlockIO = defined({ weight: integer(options, "blkio-weight") });
  const limit = integer(options, "pids-limit");
  return defined({
    memory: orAbsent(memory),
    cpu: orAbsent(cpu),
    blockIO: orAbsent(blockIO),
    pids: limit === undefined ? undefined : { limit },
  });
}

function integer(options: Options, name: string): number | undefined {
  const text = options.text(name);
  if (text === undefined) return undefined;
  if (!/^-?\d{1,15}$/.test(text)) throw new UsageError(`invalid value for ${name}: "${text}"`);
  return Number(text);
}

const UNITS: Readonly<Record<string, number>> = { "": 0, b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

function bytes(options: Options, name: string): number | undefined {
  const text = options.text(name);
  return text === undefined ? undefined : parseBytes(text, name);
}

/** `512m`, `1g`, `1048576`; -1 for no limit. Units are powers of 1024. @throws UsageError naming the option */
export function parseBytes(text: string, name: string): number {
  if (text === "-1") return -1;
  const [, digits, unit = ""] = /^(\d{1,15}(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text) ?? [];
  const power = UNITS[unit.toLowerCase()];
  if (digits === undefined || power === undefined) throw new UsageError(`invalid value for ${name}: "${text}"`);
  return Math.trunc(Number(digits) * 1024 ** power);
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}

function orAbsent<T extends object>(value: T): T | undefined {
  return Object.keys(value).length === 0 ? undefined : value;
}
