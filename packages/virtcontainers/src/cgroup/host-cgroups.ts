import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { reasonOf } from "../errors.ts";
import type { Cgroups, HostCgroup, HostLimits, RecordedCgroup } from "../ports/cgroups.ts";
import { attempt, cgroupError } from "./cgroup-error.ts";
import { thaw } from "./freezer.ts";
import { hierarchies } from "./hierarchies.ts";
import { type LimitName, namesOf, writeLimits } from "./limits.ts";
import { MadeParents } from "./made-parents.ts";
import { addProcess, makeDirectory } from "./make-directory.ts";
import { missingOf, missingParentsOf, type Place, type Plan, planFor } from "./places.ts";
import { placeOf } from "./recorded.ts";
import { isPopulated, removeDirectory } from "./remove.ts";
import { isSystemdRunning, Systemd } from "./systemd.ts";
import { unitProperties } from "./unit-properties.ts";

/** Processes that were killed leave their cgroups a moment later. */
const REMOVE_DEADLINE_MS = 2_000;
/** Mounts that this process may not write to, as in a container of an engine's own. */
const NOT_OURS: readonly unknown[] = ["EROFS", "EACCES", "EPERM"];

export interface HostCgroupsOptions {
  /** `--systemd-cgroup`: every container is in a scope that systemd makes. */
  readonly systemd?: boolean;
}

/** The host's cgroups, v1 or v2, found by what is mounted; by way of systemd where a container's place is a unit of it. */
export class HostCgroups implements Cgroups {
  readonly #warn: (message: string) => void;
  readonly #systemdAsked: boolean;
  readonly #systemd: Systemd = new Systemd();
  readonly #parents: MadeParents = new MadeParents();

  constructor(warn: (message: string) => void, { systemd = false }: HostCgroupsOptions = {}) {
    this.#warn = warn;
    this.#systemdAsked = systemd;
  }

  open(path: string | undefined, containerId: string, limits: HostLimits): HostCgroup {
    const plan = planFor(path, containerId, { systemdAsked: this.#systemdAsked, systemdRuns: isSystemdRunning() });
    let made: readonly Place[] = [];
    const make = (): void => {
      made = this.#make(plan, limits);
    };
    return {
      place: missingOf(plan),
      // A scope of systemd's is made around its first process.
      make: plan.scope === undefined ? make : () => undefined,
      begin: async (pid) => {
        if (plan.scope !== undefined) {
          await this.#systemd.startScope(plan.scope, pid, unitProperties(limits, versionOf(plan)));
          make();
        }
        for (const { directory } of made) addProcess(directory, pid);
      },
      add: (pid) => {
        for (const { directory } of made) addProcess(directory, pid);
      },
    };
  }

  add(place: RecordedCgroup | undefined, pid: number): void {
    for (const directory of presentIn(place)) addProcess(directory, pid);
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

  async update(place: RecordedCgroup | undefined, limits: HostLimits): Promise<void> {
    const directories = presentIn(place);
    const { unit } = placeOf(place);
    if (unit !== undefined && directories.length > 0) {
      const version = hierarchies()[0]?.version ?? 2;
      await this.#systemd.setProperties(unit, unitProperties(limits, version));
    }
    const applied = directories.flatMap((directory) => {
      let names: LimitName[] = [];
      attempt(`change the limits of ${directory}`, () => {
        names = writeLimits(directory, limits);
      });
      return names;
    });
    if (directories.length > 0) this.#warnOfMissing(limits, applied);
  }

  thaw(place: RecordedCgroup | undefined): void {
    for (const directory of presentIn(place)) {
      attempt(`thaw ${directory}`, () => {
        thaw(directory);
      });
    }
  }

  async remove(recorded: RecordedCgroup | undefined): Promise<void> {
    const { directories, unit } = placeOf(recorded);
    const giveUpAt = performance.now() + REMOVE_DEADLINE_MS;
    const until = async (isDone: () => boolean): Promise<boolean> => {
      while (!isDone()) {
        if (performance.now() > giveUpAt) return false;
        await delay(10);
      }
      return true;
    };
    if (unit !== undefined && presentIn(recorded).length > 0) {
      // systemd would end them.
      const isEmpty = await until(() => !directories.some(isPopulated));
      if (isEmpty) await this.#systemd.stop(unit);
    }
    for (const directory of directories) {
      const gone = (): boolean => attemptRemoval(directory);
      if (!(await until(gone))) {
        this.#warn(`cgroup ${directory} is left: there are processes in it that are not ours`);
      }
    }
    for (const directory of directories) {
      attempt(`remove what was made above ${directory}`, () => {
        this.#parents.sweepAbove(directory);
      });
    }
  }

  #make(plan: Plan, limits: HostLimits): Place[] {
    this.#parents.note(missingParentsOf(plan));
    const applied: LimitName[] = [];
    const made = plan.places.filter((place) => {
      try {
        applied.push(...makeDirectory(place, limits));
        return true;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (plan.isNamed && !NOT_OURS.includes(code)) throw cgroupError(`make cgroup ${place.directory}`, error);
        this.#warn(`the container is not in cgroup ${place.directory}: ${reasonOf(error)}`);
        return false;
      }
    });
    if (made.length > 0) this.#warnOfMissing(limits, applied);
    return made;
  }

  #warnOfMissing(limits: HostLimits, applied: readonly LimitName[]): void {
    const missing = [...new Set(namesOf(limits))].filter((name) => !applied.includes(name));
    if (missing.length === 0) return;
    this.#warn(`not limited on the host: ${missing.join(", ")}; the container's cgroup has no controller for it`);
  }
}

function versionOf({ places }: Plan): 1 | 2 {
  return places[0]?.hierarchy.version ?? 2;
}

function presentIn(place: RecordedCgroup | undefined): string[] {
  return placeOf(place).directories.filter((directory) => existsSync(directory));
}

function attemptRemoval(directory: string): boolean {
  try {
    return removeDirectory(directory);
  } catch (error) {
    throw cgroupError(`remove cgroup ${directory}`, error);
  }
}
