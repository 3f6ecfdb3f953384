import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** What processes that were killed may take to end: they may be at work in the kernel. */
const DEADLINE_MS = 3_000;

/**
 * Ends all processes of a control group and of those below it. Without the group nothing is done.
 *
 * @throws Error when some process does not end
 */
export async function endProcesses(cgroup: string): Promise<void> {
  const giveUpAt = performance.now() + DEADLINE_MS;
  const kill = join(cgroup, "cgroup.kill");
  try {
    for (let first = true; isPopulated(cgroup); first = false) {
      if (first) writeFileSync(kill, "1");
      else await delay(2);
      if (performance.now() > giveUpAt) throw new Error(`processes of ${cgroup} do not end`);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

function isPopulated(cgroup: string): boolean {
  return readFileSync(join(cgroup, "cgroup.events"), "latin1").includes("populated 1");
}

/** Removes a control group without processes, and those below it. */
export function removeCgroup(path: string): void {
  if (!existsSync(path)) return;
  const entries = readdirSync(path, { withFileTypes: true });
  for (const entry of entries) if (entry.isDirectory()) removeCgroup(join(path, entry.name));
  rmdirSync(path);
}
