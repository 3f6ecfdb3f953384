import { allHierarchies, type Hierarchy } from "../cgroup/hierarchies.ts";
import { isSystemdRunning } from "../cgroup/systemd.ts";
import type { Prerequisite } from "./prerequisite.ts";

/** What limits of VMs are written to. */
const WANTED = ["cpu", "memory", "pids"];

/** Which cgroups the host has, and which program manages them. */
export function inspectCgroups(
  found: readonly Hierarchy[] = allHierarchies(),
  systemdRuns: boolean = isSystemdRunning(),
): Prerequisite {
  const need = { name: "cgroups", remedy: "mount -t cgroup2 cgroup2 /sys/fs/cgroup", optional: true };
  const v1 = found.filter(({ version }) => version === 1);
  const v2 = found.find(({ version }) => version === 2);
  if (found.length === 0) return { ...need, found: "none", problem: "are mounted: VMs are not limited on the host" };
  const kind = v1.length === 0 ? "v2" : v2 === undefined ? "v1" : "v1, with v2 beside it (hybrid)";
  const manager = systemdRuns ? "managed by systemd" : "not managed by systemd";
  const missing = v1.length === 0 ? [] : WANTED.filter((name) => !v1.some((each) => each.controllers.includes(name)));
  const told = { ...need, found: `${kind} at ${placeOf(v1[0] ?? v2)}, ${manager}` };
  return missing.length === 0
    ? told
    : { ...told, problem: `without ${missing.join(", ")}: VMs are not held to those limits` };
}

function placeOf(hierarchy: Hierarchy | undefined): string {
  const { mountPoint = "", version } = hierarchy ?? {};
  return version === 1 ? mountPoint.slice(0, Math.max(mountPoint.lastIndexOf("/"), 1)) : mountPoint;
}
