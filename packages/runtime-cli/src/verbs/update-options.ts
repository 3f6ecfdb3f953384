import type { SpecBlockIO, SpecCpu, SpecMemory, SpecResources } from "@kata-ts/agent-protocol";
import { type Options, type OptionTable, UsageError } from "../arguments/parse.ts";

/** runc's spellings. */
export const UPDATE_OPTIONS: OptionTable = {
  resources: { type: "string", short: "r" },
  "blkio-weight": { type: "string" },
  "cpu-period": { type: "string" },
  "cpu-quota": { type: "string" },
  "cpu-share": { type: "string" },
  "cpu-rt-period": { type: "string" },
  "cpu-rt-runtime": { type: "string" },
  "cpuset-cpus": { type: "string" },
  "cpuset-mems": { type: "string" },
  "kernel-memory": { type: "string" },
  "kernel-memory-tcp": { type: "string" },
  memory: { type: "string" },
  "memory-reservation": { type: "string" },
  "memory-swap": { type: "string" },
  "pids-limit": { type: "string" },
  "l3-cache-schema": { type: "string" },
  "mem-bw-schema": { type: "string" },
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

/** `512m`, `1g`, `1048576`; -1 for no limit. Units are powers of 1024. */
function bytes(options: Options, name: string): number | undefined {
  const text = options.text(name);
  if (text === undefined) return undefined;
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
