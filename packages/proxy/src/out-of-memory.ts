import { openSync, readFileSync } from "node:fs";

/**
 * Whether the kernel has ended a process of a cgroup for want of memory: `memory.events` of cgroup v2 and
 * `memory.oom_control` of v1 count them in the same words.
 *
 * @param file a path, or a descriptor that nothing was read from yet
 */
export function countsKills(file: string | number): boolean {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, "latin1"))?.[1] ?? 0) > 0;
  } catch {
    // A hierarchy without that controller, or a cgroup that is gone.
    return false;
  }
}

/** Descriptors of those of these files that there are, for a process that loses sight of them. */
export function openCounts(files: readonly string[]): number[] {
  return files.flatMap((file) => {
    try {
      return [openSync(file, "r")];
    } catch {
      return [];
    }
  });
}
