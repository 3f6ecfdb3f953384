import { readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** What processes that were killed may take to end: they may be at work in the kernel. */
const DEADLINE_MS = 3_000;

/**
 * Ends all processes of a control group and of those below it, and removes them. Without the group nothing is done.
 *
 * @throws Error when some process does not end
 */
export async function endCgroup(path: string): Promise<void> {
  try {
    await writeFile(join(path, "cgroup.kill"), "1");
    await empty(path);
    await remove(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

async function empty(path: string): Promise<void> {
  const giveUpAt = performance.now() + DEADLINE_MS;
  while (!(await readFile(join(path, "cgroup.events"), "latin1")).includes("populated 0")) {
    if (performance.now() > giveUpAt) throw new Error(`processes of ${path} do not end`);
    await delay(2);
  }
}

async function remove(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true });
  for (const entry of entries) if (entry.isDirectory()) await remove(join(path, entry.name));
  await rmdir(path);
}
