import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

const CONTROLLERS = ["cpuset", "cpu", "io", "memory", "pids"];

/**
 * v2 gives a cgroup only those controllers that all above it hand down. A cgroup with processes is left as it is: with
 * one of the controllers that allow it, it would become the root of threads, which changes what its own processes may
 * do and lasts; its children could not take any process.
 */
export function handDownControllers(directory: string, mountPoint: string): void {
  if (directory !== mountPoint) handDownControllers(dirname(directory), mountPoint);
  if (holdsProcesses(directory)) return;
  const handedDown = wordsIn(join(directory, "cgroup.subtree_control"));
  const available = wordsIn(join(directory, "cgroup.controllers"));
  for (const controller of CONTROLLERS) {
    if (handedDown.includes(controller) || !available.includes(controller)) continue;
    try {
      writeFileSync(join(directory, "cgroup.subtree_control"), `+${controller}`);
    } catch {
      // Which limits have no file then is found, and said, when they are written.
    }
  }
}

/** The root of all cgroups, which has no type, may hold processes and hand controllers down. */
function holdsProcesses(directory: string): boolean {
  if (!existsSync(join(directory, "cgroup.type"))) return false;
  try {
    return readFileSync(join(directory, "cgroup.procs"), "latin1").trim() !== "";
  } catch {
    // A cgroup of threads does not tell its processes.
    return true;
  }
}

/** A new cgroup below one of threads takes no processes. */
export function takesProcesses(directory: string): boolean {
  const type = wordsIn(join(directory, "cgroup.type")).join(" ");
  return type !== "domain invalid" && type !== "threaded";
}

function wordsIn(file: string): string[] {
  try {
    return readFileSync(file, "latin1").trim().split(/\s+/).filter(Boolean);
  } catch {
    return [];
  }
}
