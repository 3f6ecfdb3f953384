import { mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { HostLimits } from "../ports/cgroups.ts";
import { cgroupError } from "./cgroup-error.ts";
import { fillCpuset, type LimitName, writeLimits } from "./limits.ts";
import type { Place } from "./places.ts";
import { handDownControllers, takesProcesses } from "./unified.ts";

/** @returns the limits that this hierarchy holds the container to */
export function makeDirectory({ hierarchy, directory }: Place, limits: HostLimits): LimitName[] {
  const { version, controllers, mountPoint } = hierarchy;
  mkdirSync(directory, { recursive: true });
  if (version === 2) {
    handDownControllers(dirname(directory), mountPoint);
    if (!takesProcesses(directory)) {
      rmdirSync(directory);
      throw new Error("a cgroup above it is one of threads, and it could take no process");
    }
  }
  if (controllers.includes("cpuset")) fillCpuset(directory, mountPoint);
  return writeLimits(directory, limits);
}

/** @throws KataError KATA_CGROUP */
export function addProcess(directory: string, pid: number): void {
  try {
    writeFileSync(join(directory, "cgroup.procs"), String(pid));
  } catch (error) {
    // A process that has ended is in no cgroup.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") {
      throw cgroupError(`move ${String(pid)} to ${directory}`, error);
    }
  }
}
