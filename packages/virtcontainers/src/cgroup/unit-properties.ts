import type { HostLimits, Throttle } from "../ports/cgroups.ts";
import { ioWeightOf, weightOf } from "./limits.ts";

/** One property of a unit as busctl wants it: its name, its D-Bus type, its value in words. */
export type UnitProperty = readonly [name: string, type: string, ...value: readonly string[]];

const INFINITY = "18446744073709551615";
const USEC_PER_SEC = 1_000_000;
/** systemd counts CPU quotas in hundredths of a processor. */
const QUOTA_STEP = 10_000;

/**
 * A container's limits as systemd knows them. It writes them to the unit's cgroup again whenever it reloads; what it is
 * not asked for is lost then. What it does not manage in v1 (cpuset) is not asked for.
 */
export function unitProperties(limits: HostLimits, version: 1 | 2): UnitProperty[] {
  const { memoryBytes, cpuShares = 0, cpuTime, tasks, cpus = "", mems = "", blockIo } = limits;
  const properties: UnitProperty[] = [];
  if (memoryBytes !== undefined) {
    properties.push([version === 1 ? "MemoryLimit" : "MemoryMax", "t", orInfinity(memoryBytes)]);
  }
  if (cpuShares > 0) {
    properties.push(
      version === 1 ? ["CPUShares", "t", String(cpuShares)] : ["CPUWeight", "t", String(weightOf(cpuShares))],
    );
  }
  if (cpuTime !== undefined) {
    const perSecond = Math.ceil((cpuTime.quota * USEC_PER_SEC) / cpuTime.period / QUOTA_STEP) * QUOTA_STEP;
    properties.push(["CPUQuotaPerSecUSec", "t", cpuTime.quota < 0 ? INFINITY : String(perSecond)]);
    if (version === 2) properties.push(["CPUQuotaPeriodUSec", "t", String(cpuTime.period)]);
  }
  if (tasks !== undefined) properties.push(["TasksMax", "t", orInfinity(tasks)]);
  if (version === 2 && cpus !== "") properties.push(["AllowedCPUs", "ay", ...byteArray(cpus)]);
  if (version === 2 && mems !== "") properties.push(["AllowedMemoryNodes", "ay", ...byteArray(mems)]);
  const { weight, throttles = [] } = blockIo ?? {};
  if (weight !== undefined) {
    properties.push(
      version === 1 ? ["BlockIOWeight", "t", String(weight)] : ["IOWeight", "t", String(ioWeightOf(weight))],
    );
  }
  return [...properties, ...(version === 2 ? throttles.map(throttleProperty) : [])];
}

function throttleProperty({ kind, device, perSecond }: Throttle): UnitProperty {
  return [THROTTLES[kind], "a(st)", "1", `/dev/block/${device}`, perSecond === 0 ? INFINITY : String(perSecond)];
}

const THROTTLES: Readonly<Record<Throttle["kind"], string>> = {
  readBytes: "IOReadBandwidthMax",
  writeBytes: "IOWriteBandwidthMax",
  readOperations: "IOReadIOPSMax",
  writeOperations: "IOWriteIOPSMax",
};

function orInfinity(value: number): string {
  return value < 0 ? INFINITY : String(value);
}

const MAX_NUMBER = 8191;

/** "0-1,9" is a set of bits, lowest first, in bytes: 2 bytes, 3 and 2. */
function byteArray(list: string): string[] {
  const bytes: number[] = [];
  for (const part of list.split(",")) {
    const [, first = "", last = first] = /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part) ?? [];
    for (let bit = Number(first); first !== "" && bit <= Math.min(Number(last), MAX_NUMBER); bit += 1) {
      const index = bit >> 3;
      while (bytes.length <= index) bytes.push(0);
      bytes[index] = (bytes[index] ?? 0) | (1 << (bit & 7));
    }
  }
  return [String(bytes.length), ...bytes.map(String)];
}
