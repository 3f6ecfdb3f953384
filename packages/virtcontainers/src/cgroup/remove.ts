import { readdirSync, readFileSync, rmdirSync } from "node:fs";
import { join } from "node:path";

/** Whether there are processes in a cgroup or below it; a missing cgroup has none. */
export function isPopulated(directory: string): boolean {
  try {
    const all = [directory, ...directoriesBelow(directory)];
    return all.some((path) => readFileSync(join(path, "cgroup.procs"), "latin1") !== "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

function directoriesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(directory, name))
    .flatMap((path) => [path, ...directoriesBelow(path)]);
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
