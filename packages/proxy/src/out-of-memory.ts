import { readFileSync } from "node:fs";

/**
 * Whether the kernel has ended a process of a cgroup for want of memory: `memory.events` of cgroup v2 and
 * `memory.oom_control` of v1 count them in the same words.
 */
export function countsKills(file: string): boolean {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, "latin1"))?.[1] ?? 0) > 0;
  } catch {
    // A hierarchy without that controller, or a cgroup that is gone.
    return false;
  }
}
