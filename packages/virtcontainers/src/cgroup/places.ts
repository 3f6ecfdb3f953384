import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { KataError } from "../errors.ts";
import type { CgroupPlace } from "../ports/cgroups.ts";
import { allHierarchies, directoryOf, type Hierarchy, hierarchies } from "./hierarchies.ts";
import { type UnitPlace, unitPlaceOf } from "./systemd-path.ts";

/** A container's directory in one hierarchy. */
export interface Place {
  readonly hierarchy: Hierarchy;
  readonly directory: string;
}

/** Where a container's cgroups are to be, before anything is made. */
export interface Plan {
  readonly places: readonly Place[];
  /** The scope that systemd is to make; undefined: the directories are made without it. */
  readonly scope?: UnitPlace | undefined;
  /** The caller has named the place: a container that cannot be put there is not created. */
  readonly isNamed: boolean;
}

/** Who manages the host's cgroups. */
export interface Manager {
  /** `--systemd-cgroup`. */
  readonly systemdAsked: boolean;
  readonly systemdRuns: boolean;
}

/** @throws KataError KATA_CGROUP as runc: where systemd is asked for it has to be there, and the path has its form */
export function planFor(path: string | undefined, containerId: string, manager: Manager): Plan {
  const given = path === undefined || path === "" ? undefined : path;
  const unit = given === undefined ? undefined : unitPlaceOf(given);
  if (manager.systemdAsked) refuseWithoutSystemd(given, unit, manager);
  if (given === undefined && manager.systemdAsked) return scopeFor(containerId);
  const named = (name: string): Place[] => placesAt(given, name);
  if (given === undefined) return { places: named(freeName(named, containerId)), isNamed: false };
  const isScope = manager.systemdRuns && unit?.unit.endsWith(".scope") === true;
  if (!isScope) return { places: named(containerId), isNamed: true };
  return { places: placesAt(given, containerId, allHierarchies()), isNamed: true, scope: unit };
}

function refuseWithoutSystemd(path: string | undefined, unit: UnitPlace | undefined, { systemdRuns }: Manager): void {
  if (!systemdRuns) {
    throw new KataError("KATA_CGROUP", "--systemd-cgroup: systemd does not run on this host", {
      hint: "leave the option out, or let the engine manage cgroups itself (cgroupfs)",
    });
  }
  if (path !== undefined && unit === undefined) {
    throw new KataError("KATA_CGROUP", `--systemd-cgroup: cgroupsPath "${path}" is not of the form slice:prefix:name`, {
      hint: "leave the option out for a path of directories",
    });
  }
}

/** Without a path the container has one for itself, below the slice that runc takes. */
function scopeFor(containerId: string): Plan {
  const pathOf = (name: string): string => `:kata:${name}`;
  const path = pathOf(freeName((name) => placesAt(pathOf(name), name), containerId));
  const scope = unitPlaceOf(path);
  return {
    places: placesAt(path, containerId, allHierarchies()),
    isNamed: false,
    scope,
  };
}

function placesAt(path: string | undefined, name: string, found = hierarchies()): Place[] {
  return found.map((hierarchy) => ({ hierarchy, directory: directoryOf(hierarchy, path, name) }));
}

/** The same id may be in use under another root. */
function freeName(named: (name: string) => readonly Place[], containerId: string): string {
  const isTaken = named(containerId).some(({ directory }) => existsSync(directory));
  return isTaken ? `${containerId}-${randomBytes(4).toString("hex")}` : containerId;
}

/** Those hierarchies of v1 in which systemd makes and removes its slices. */
const OF_SYSTEMD = ["cpu", "cpuacct", "blkio", "memory", "devices", "pids", "name=systemd"];

/** What of a plan is not there yet: to be removed with the container. */
export function missingOf({ places, scope }: Plan): CgroupPlace {
  return {
    directories: places.map(({ directory }) => directory).filter((directory) => !existsSync(directory)),
    unit: scope?.unit,
  };
}

/** Directories above that are not there yet, but for the slices that systemd makes and keeps. */
export function missingParentsOf({ places, scope }: Plan): string[] {
  return places
    .filter(({ hierarchy }) => scope === undefined || !isOfSystemd(hierarchy))
    .flatMap(({ directory, hierarchy }) => missingAbove(directory, hierarchy.mountPoint));
}

function isOfSystemd({ version, controllers }: Hierarchy): boolean {
  return version === 2 || controllers.some((controller) => OF_SYSTEMD.includes(controller));
}

/** The innermost first. */
function missingAbove(directory: string, mountPoint: string): string[] {
  const parent = dirname(directory);
  if (parent === mountPoint || existsSync(parent)) return [];
  return [parent, ...missingAbove(parent, mountPoint)];
}
