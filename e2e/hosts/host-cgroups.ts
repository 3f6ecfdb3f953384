import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

const CGROUPS = "/sys/fs/cgroup";
const REMOVAL_MS = 10_000;

/** A cgroup in each hierarchy of this machine, for the processes of a root. */
export class HostCgroups implements AsyncDisposable {
  readonly directories: readonly string[];

  constructor(name: string) {
    const isUnified = existsSync(join(CGROUPS, "cgroup.controllers"));
    const hierarchies = isUnified ? [CGROUPS] : readdirSync(CGROUPS).map((controller) => join(CGROUPS, controller));
    this.directories = hierarchies
      .filter((hierarchy) => existsSync(join(hierarchy, "cgroup.procs")))
      .map((hierarchy) => makeCgroup(hierarchy, name));
  }

  /** The kernel lets go of a cgroup a moment after its last process. */
  async [Symbol.asyncDispose](): Promise<void> {
    const giveUpAt = performance.now() + REMOVAL_MS;
    for (const directory of this.directories) {
      for (;;) {
        try {
          removeTree(directory);
          break;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== "EBUSY" || performance.now() > giveUpAt) throw error;
          await delay(50);
        }
      }
    }
  }
}

/** A cgroup of v1's cpuset takes no process before it has processors and memory. */
function makeCgroup(hierarchy: string, name: string): string {
  const directory = join(hierarchy, name);
  mkdirSync(directory, { recursive: true });
  if (existsSync(join(directory, "cgroup.clone_children"))) {
    for (const file of ["cpuset.cpus", "cpuset.mems"].filter((each) => existsSync(join(hierarchy, each)))) {
      writeFileSync(join(directory, file), readFileSync(join(hierarchy, file)));
    }
    writeFileSync(join(directory, "cgroup.clone_children"), "1");
  }
  return directory;
}

function removeTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(directory, entry.name));
  }
  rmdirSync(directory);
}
