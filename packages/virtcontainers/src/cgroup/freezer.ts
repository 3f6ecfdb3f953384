import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Each hierarchy's file, what says that it is frozen, and what thaws it. */
const FREEZERS = [
  { file: "freezer.state", frozen: ["FROZEN", "FREEZING"], thawed: "THAWED" },
  { file: "cgroup.freeze", frozen: ["1"], thawed: "0" },
];

/** Lets the processes of a cgroup go on. A cgroup that is not frozen, or not there, stays as it is. */
export function thaw(directory: string): void {
  for (const { file, frozen, thawed } of FREEZERS) {
    const path = join(directory, file);
    if (existsSync(path) && frozen.includes(readFileSync(path, "latin1").trim())) writeFileSync(path, thawed);
  }
}
