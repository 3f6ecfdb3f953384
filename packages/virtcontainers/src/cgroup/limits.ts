import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { HostBlockIo, HostLimits, Throttle } from "../ports/cgroups.ts";

/** Names of limits, as a warning says them. */
export type LimitName =
  | "memory"
  | "CPU weight"
  | "CPU time"
  | "processes"
  | "processors"
  | "memory nodes"
  | "block I/O";

/** What is asked of a cgroup: the file's name, and what is to be written there. */
interface Setting {
  readonly limit: LimitName;
  /** Files that mean the same: of v1, of v2, of one or another scheduler. */
  readonly files: readonly (readonly [name: string, value: string])[];
}

/** Writes those limits whose files the cgroup has; a hierarchy has the files of its controllers only. @returns which */
export function writeLimits(directory: string, limits: HostLimits): LimitName[] {
  return settingsOf(limits).flatMap(({ limit, files }) => {
    const found = files.filter(([name]) => existsSync(join(directory, name)));
    for (const [name, value] of found) writeFileSync(join(directory, name), value);
    return found.length > 0 ? [limit] : [];
  });
}

/** All that are asked for. */
export function namesOf(limits: HostLimits): LimitName[] {
  return settingsOf(limits).map(({ limit }) => limit);
}

function settingsOf({ memoryBytes, cpuShares, cpuTime, tasks, cpus, mems, blockIo }: HostLimits): Setting[] {
  const settings: Setting[] = [];
  const set = (limit: LimitName, ...files: Setting["files"]): void => {
    settings.push({ limit, files });
  };
  if (memoryBytes !== undefined) {
    set("memory", ["memory.limit_in_bytes", String(memoryBytes)], ["memory.max", orMax(memoryBytes)]);
  }
  // Docker and Kubernetes write 0 for "not asked for".
  if (cpuShares !== undefined && cpuShares > 0) {
    set("CPU weight", ["cpu.shares", String(cpuShares)], ["cpu.weight", String(weightOf(cpuShares))]);
  }
  if (cpuTime !== undefined) {
    const { quota, period } = cpuTime;
    const v1 = [["cpu.cfs_period_us", String(period)] as const, ["cpu.cfs_quota_us", String(quota)] as const];
    set("CPU time", ...v1, ["cpu.max", `${orMax(quota)} ${String(period)}`]);
  }
  if (tasks !== undefined) set("processes", ["pids.max", orMax(tasks)]);
  if (cpus !== undefined && cpus !== "") set("processors", ["cpuset.cpus", cpus]);
  if (mems !== undefined && mems !== "") set("memory nodes", ["cpuset.mems", mems]);
  return blockIo === undefined ? settings : [...settings, ...blockIoSettings(blockIo)];
}

function blockIoSettings({ weight, throttles }: HostBlockIo): Setting[] {
  const limit = "block I/O";
  const ofThrottles = throttles.map(({ kind, device, perSecond }): Setting => {
    const [v1, v2] = THROTTLES[kind];
    const rate = perSecond === 0 ? "max" : String(perSecond);
    return { limit, files: [[v1, `${device} ${String(perSecond)}`] as const, ["io.max", `${device} ${v2}=${rate}`]] };
  });
  if (weight === undefined) return ofThrottles;
  // Which of them there are depends on the I/O scheduler.
  const v1 = ["blkio.weight", "blkio.bfq.weight"].map((name) => [name, String(weight)] as const);
  const v2 = [["io.bfq.weight", String(weight)] as const, ["io.weight", String(ioWeightOf(weight))] as const];
  return [{ limit, files: [...v1, ...v2] }, ...ofThrottles];
}

const THROTTLES: Readonly<Record<Throttle["kind"], readonly [v1: string, v2: string]>> = {
  readBytes: ["blkio.throttle.read_bps_device", "rbps"],
  writeBytes: ["blkio.throttle.write_bps_device", "wbps"],
  readOperations: ["blkio.throttle.read_iops_device", "riops"],
  writeOperations: ["blkio.throttle.write_iops_device", "wiops"],
};

function orMax(value: number): string {
  return value < 0 ? "max" : String(value);
}

/** runc's conversion: 2 to 262144 becomes 1 to 10000. */
export function weightOf(shares: number): number {
  return Math.trunc(1 + ((Math.min(Math.max(shares, 2), 262_144) - 2) * 9999) / 262_142);
}

/** runc's conversion: 10 to 1000 becomes 1 to 10000. */
export function ioWeightOf(weight: number): number {
  return Math.trunc(1 + ((Math.min(Math.max(weight, 10), 1000) - 10) * 9999) / 990);
}

/** v1 lets no process into a cpuset without processors and memory nodes: a new one has its parent's. */
export function fillCpuset(directory: string, mountPoint: string): void {
  for (const name of ["cpuset.cpus", "cpuset.mems"]) fill(directory, name, mountPoint);
}

function fill(directory: string, name: string, mountPoint: string): string {
  const file = join(directory, name);
  const own = readFileSync(file, "latin1").trim();
  if (own !== "" || directory === mountPoint) return own;
  const inherited = fill(dirname(directory), name, mountPoint);
  writeFileSync(file, inherited);
  return inherited;
}
