import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { KataError, reasonOf } from "../errors.ts";
import type { Cgroups, HostCgroup, HostLimits } from "../ports/cgroups.ts";
import { directoryOf, type Hierarchy, hierarchies } from "./hierarchies.ts";
import { fillCpuset, handDownControllers, writeLimits } from "./limits.ts";

/** Processes that were killed leave their cgroups a moment later. */
const REMOVE_DEADLINE_MS = 2_000;
/** Mounts that this process may not write to, as in a container of an engine's own. */
const NOT_OURS: readonly unknown[] = ["EROFS", "EACCES", "EPERM"];

/** The host's cgroups, v1 or v2, found by what is mounted. */
export class HostCgroups implements Cgroups {
  readonly #warn: (message: string) => void;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  open(path: string | undefined, containerId: string, limits: HostLimits): HostCgroup {
    const places = placesOf(path, containerId);
    const make = (place: Place): boolean => this.#make(place, limits);
    let made: readonly Place[] = [];
    return {
      directories: places.map(({ directory }) => directory).filter((directory) => !existsSync(directory)),
      make: () => {
        made = places.filter(make);
      },
      add: (pid) => {
        for (const { directory } of made) addProcess(directory, pid);
      },
    };
  }

  add(directories: readonly string[], pid: number): void {
    for (const directory of directories.filter((path) => existsSync(path))) addProcess(directory, pid);
  }

  moveToRoot(pid: number): void {
    for (const { mountPoint } of hierarchies()) {
      try {
        writeFileSync(join(mountPoint, "cgroup.procs"), String(pid));
      } catch {
        // In a container of an engine's own it stays where it is.
      }
    }
  }

  update(directories: readonly string[], limits: HostLimits): void {
    for (const directory of directories.filter((path) => existsSync(path))) {
      attempt(`change the limits of ${directory}`, () => {
        writeLimits(directory, limits);
      });
    }
  }

  async remove(directories: readonly string[]): Promise<void> {
    const giveUpAt = performance.now() + REMOVE_DEADLINE_MS;
    for (const directory of directories) {
      while (!isRemoved(directory)) {
        if (performance.now() > giveUpAt) {
          this.#warn(`cgroup ${directory} is left: there are processes in it that are not ours`);
          break;
        }
        await delay(10);
      }
    }
  }

  #make({ hierarchy, directory }: Place, limits: HostLimits): boolean {
    try {
      make(hierarchy, directory, limits);
      return true;
    } catch (error) {
      if (!NOT_OURS.includes((error as NodeJS.ErrnoException).code)) throw refused(`make cgroup ${directory}`, error);
      this.#warn(`the container is not in cgroup ${directory}: ${reasonOf(error)}`);
      return false;
    }
  }
}

interface Place {
  readonly hierarchy: Hierarchy;
  readonly directory: string;
}

/** Where nobody names a cgroup it is the container's alone: the same id may be in use under another root. */
function placesOf(path: string | undefined, containerId: string): Place[] {
  const named = (name: string): Place[] =>
    hierarchies().map((hierarchy) => ({ hierarchy, directory: directoryOf(hierarchy, path, name) }));
  const places = named(containerId);
  const taken = (path ?? "") === "" && places.some(({ directory }) => existsSync(directory));
  return taken ? named(`${containerId}-${randomBytes(4).toString("hex")}`) : places;
}

function make({ version, controllers, mountPoint }: Hierarchy, directory: string, limits: HostLimits): void {
  mkdirSync(directory, { recursive: true });
  if (version === 2) handDownControllers(dirname(directory), mountPoint);
  if (controllers.includes("cpuset")) fillCpuset(directory, mountPoint);
  writeLimits(directory, limits);
}

function addProcess(directory: string, pid: number): void {
  try {
    writeFileSync(join(directory, "cgroup.procs"), String(pid));
  } catch (error) {
    // A process that has ended is in no cgroup.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw refused(`move ${String(pid)} to ${directory}`, error);
  }
}

function isRemoved(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return true;
    if (code === "EBUSY" || code === "ENOTEMPTY") return false;
    throw refused(`remove cgroup ${directory}`, error);
  }
}

function attempt(what: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw refused(what, error);
  }
}

function refused(what: string, cause: unknown): KataError {
  return new KataError("KATA_CGROUP", `could not ${what}: ${reasonOf(cause)}`, {
    cause,
    hint: "the kernel refuses a limit that is too low, or a cgroup that its parent does not allow",
  });
}
