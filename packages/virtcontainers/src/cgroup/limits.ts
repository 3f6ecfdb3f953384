import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { HostLimits } from "../ports/cgroups.ts";

/** Writes those limits whose files the cgroup has; a hierarchy has the files of its controllers only. */
export function writeLimits(directory: string, { memoryBytes, cpuShares, cpus, mems }: HostLimits): void {
  if (memoryBytes !== undefined) {
    write(directory, "memory.limit_in_bytes", String(memoryBytes));
    write(directory, "memory.max", memoryBytes < 0 ? "max" : String(memoryBytes));
  }
  // Docker and Kubernetes write 0 for "not asked for".
  if (cpuShares !== undefined && cpuShares > 0) {
    write(directory, "cpu.shares", String(cpuShares));
    write(directory, "cpu.weight", String(weightOf(cpuShares)));
  }
  if (cpus !== undefined && cpus !== "") write(directory, "cpuset.cpus", cpus);
  if (mems !== undefined && mems !== "") write(directory, "cpuset.mems", mems);
}

/** runc's conversion: 2 to 262144 becomes 1 to 10000. */
function weightOf(shares: number): number {
  return Math.trunc(1 + ((Math.min(Math.max(shares, 2), 262_144) - 2) * 9999) / 262_142);
}

function write(directory: string, name: string, value: string): void {
  const file = join(directory, name);
  if (existsSync(file)) writeFileSync(file, value);
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

/** v2 gives a cgroup only those controllers that all above it hand down; one with processes of its own cannot. */
export function handDownControllers(directory: string, mountPoint: string): void {
  if (directory !== mountPoint) handDownControllers(dirname(directory), mountPoint);
  for (const controller of ["cpuset", "cpu", "io", "memory", "pids"]) {
    try {
      writeFileSync(join(directory, "cgroup.subtree_control"), `+${controller}`);
    } catch {}
  }
}
