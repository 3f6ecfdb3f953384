import { existsSync, mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";

const CGROUPS = "/sys/fs/cgroup";

/**
 * The parent of an engine's container cgroups in every hierarchy. Runtimes make it when it is missing and leave it to
 * the engine; it is there before the first test, so that what a container leaves behind can be told from it.
 */
export class EngineCgroups implements Disposable {
  readonly #directories: readonly string[];

  constructor(name: string) {
    const isOne = existsSync(join(CGROUPS, "cgroup.controllers"));
    const hierarchies = isOne ? [CGROUPS] : readdirSync(CGROUPS).map((controller) => join(CGROUPS, controller));
    this.#directories = hierarchies
      .filter((hierarchy) => existsSync(join(hierarchy, "cgroup.procs")))
      .map((hierarchy) => join(hierarchy, name));
    for (const directory of this.#directories) mkdirSync(directory, { recursive: true });
  }

  [Symbol.dispose](): void {
    for (const directory of this.#directories) removeTree(directory);
  }
}

/** Engines leave some of their own below it. */
function removeTree(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(directory, entry.name));
  }
  rmdirSync(directory);
}
