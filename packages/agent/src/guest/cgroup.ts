import { readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type VisitDirectory, visitDirectories } from "@kata-ts/linux";
import { textOf } from "../files.ts";

/** How many levels of control groups there may be below a container's, which may be written to by the container. */
const MAX_DEPTH = 32;
/** How many there may be in the guest: a walk through all of them is one turn of the agent's. */
const MAX_GROUPS = 10_000;
/** How many of them one container may have, so that others find some. */
const MAX_GROUPS_OF_ONE = 1_000;

/** Has the kernel hold all control groups below one of the guest's, whose files no container can write, to what a walk can do. */
export function boundGroupsBelow(parent: string): void {
  writeFileSync(join(parent, "cgroup.max.depth"), String(1 + MAX_DEPTH));
  writeFileSync(join(parent, "cgroup.max.descendants"), String(MAX_GROUPS));
}

/**
 * Has the kernel hold a container to its part of the guest's control groups. The container may write to its groups, but not this
 * bound: the guest mounts them with `nsdelegate`. Without the group nothing is done.
 */
export function boundGroupsOf(cgroup: string): void {
  try {
    writeFileSync(join(cgroup, "cgroup.max.descendants"), String(MAX_GROUPS_OF_ONE));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** What processes that were killed may take to end: they may be at work in the kernel, in a guest that is slow. */
const DEADLINE_MS = 10_000;

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

/** Kills all processes of a control group and of those below it, also such as fork meanwhile. Without the group nothing is done. */
export function killProcesses(cgroup: string): void {
  try {
    writeFileSync(join(cgroup, "cgroup.kill"), "1");
  } catch (error) {
    if (!NOT_KILLED.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

/** The group is gone, or a container that may write to it has made it one of threads. */
const NOT_KILLED: ReadonlySet<string> = new Set(["ENOENT", "ENODEV", "EOPNOTSUPP"]);

/** Pids of all processes of a control group and of those below it. */
export function processesIn(cgroup: string): number[] {
  const pids: number[] = [];
  visitGroups(cgroup, (group) => {
    // A group of threads does not list its processes: the one above it does.
    for (const pid of textOf(`${group}/cgroup.procs`).split("\n")) if (pid !== "") pids.push(Number(pid));
  });
  return pids;
}

/**
 * How many processes of a control group and of those below it the kernel has killed for want of memory; undefined where it does
 * not count them.
 */
export function oomKillsIn(cgroup: string): number | undefined {
  const events = textOf(join(cgroup, "memory.events"));
  return events === "" ? undefined : Number(/^oom_kill (\d+)$/m.exec(events)?.[1] ?? 0);
}

/** Removes a control group without processes, and those below it. */
export function removeCgroup(path: string): void {
  visitGroups(path, (_group, entry) => {
    rmdirSync(entry);
  });
}

/** None where it is gone: the runtime removes groups, too, in a process of its own. */
function visitGroups(top: string, visit: VisitDirectory): void {
  try {
    visitDirectories(top, MAX_DEPTH, visit);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
