import { existsSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { visitDirectories } from "@kata-ts/linux";

/** No host has cgroups that are deeper. */
const MAX_DEPTH = 256;

/** Whether there are processes in a cgroup or below it; a missing cgroup has none. */
export function isPopulated(directory: string): boolean {
  const events = join(directory, "cgroup.events");
  try {
    // By v2 the kernel looks itself.
    return existsSync(events) ? readFileSync(events, "latin1").includes("populated 1") : hasProcesses(directory);
  } catch (error) {
    if (!GONE.has((error as NodeJS.ErrnoException).code)) throw error;
    return false;
  }
}

const GONE: ReadonlySet<unknown> = new Set(["ENOENT", "ENODEV"]);

function hasProcesses(directory: string): boolean {
  let isIt = false;
  visitDirectories(directory, MAX_DEPTH, (each) => {
    isIt ||= readFileSync(join(each, "cgroup.procs"), "latin1") !== "";
  });
  return isIt;
}

/** @returns whether it is gone; false while there are processes or other cgroups in it */
export function removeDirectory(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return true;
    if (code === "EBUSY" || code === "ENOTEMPTY") return false;
    throw error;
  }
}
