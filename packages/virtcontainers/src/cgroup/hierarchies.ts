import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";
import { unitPlaceOf } from "./systemd-path.ts";

/** One mounted cgroup hierarchy: v1 has several, v2 one. */
export interface Hierarchy {
  readonly version: 1 | 2;
  readonly mountPoint: string;
  /** v1's controllers, or the name of a hierarchy without any. */
  readonly controllers: readonly string[];
  /** Where the calling process is in it. */
  readonly own: string;
}

/**
 * The hierarchies that container runtimes use: all of v1 if there are any, else v2. On hosts that mix both, runc leaves
 * v2's alone.
 */
export function hierarchies(
  mountinfo: string = readFileSync("/proc/self/mountinfo", "utf8"),
  membership: string = readFileSync("/proc/self/cgroup", "utf8"),
): Hierarchy[] {
  const mounted = mountinfo.split("\n").flatMap((line) => hierarchyOf(line, membership));
  const first = mounted.filter(({ version }) => version === 1);
  return distinct(first.length > 0 ? first : mounted);
}

/** Both on hosts that mix them: systemd knows by v2 which processes a scope has, v1 has the controllers and comes first. */
export function allHierarchies(
  mountinfo: string = readFileSync("/proc/self/mountinfo", "utf8"),
  membership: string = readFileSync("/proc/self/cgroup", "utf8"),
): Hierarchy[] {
  const mounted = mountinfo.split("\n").flatMap((line) => hierarchyOf(line, membership));
  return distinct([...mounted].sort((one, other) => one.version - other.version));
}

function distinct(all: readonly Hierarchy[]): Hierarchy[] {
  // The same hierarchy may be mounted at several places: the first is the usual one.
  const keys = all.map(({ version, controllers }) => `${String(version)} ${controllers.join()}`);
  return all.filter((_, index) => keys.indexOf(keys[index] ?? "") === index);
}

const OPTIONS_OF_V1 = new Set(["rw", "ro", "xattr", "noprefix", "clone_children", "all", "none"]);

// "32 31 0:29 /root /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu"
function hierarchyOf(line: string, membership: string): Hierarchy[] {
  const [head = "", tail = ""] = line.split(" - ");
  const [type, , options = ""] = tail.split(" ");
  const [, , , root = "/", mountPoint = ""] = head.split(" ");
  if (type !== "cgroup" && type !== "cgroup2") return [];
  const controllers =
    type === "cgroup2"
      ? []
      : options.split(",").filter((option) => !OPTIONS_OF_V1.has(option) && !option.startsWith("release_agent"));
  const own = ownCgroup(membership, controllers);
  // Where a part of the hierarchy is mounted, paths start at its top.
  const visible = root !== "/" && own.startsWith(root) ? own.slice(root.length) : own;
  return [{ version: type === "cgroup" ? 1 : 2, mountPoint, controllers, own: visible === "" ? "/" : visible }];
}

// "4:memory:/a/b"; v2's is "0::/a/b".
function ownCgroup(membership: string, controllers: readonly string[]): string {
  for (const line of membership.split("\n")) {
    const [, names = "", ...path] = line.split(":");
    const isIt = names.startsWith("name=") ? controllers.includes(names) : sameSet(names, controllers);
    if (isIt) return path.join(":");
  }
  return "/";
}

function sameSet(names: string, controllers: readonly string[]): boolean {
  const listed = names.split(",").filter(Boolean);
  return listed.length === controllers.length && listed.every((name) => controllers.includes(name));
}

/**
 * A container's directory in a hierarchy, as runc places it; `..` leads nowhere. What does not start at the top is below
 * the caller's own cgroup in v1, and beside it in v2: there a cgroup with processes can hand no controllers down, and an
 * attempt to do so would change what the caller itself may do.
 */
export function directoryOf(hierarchy: Hierarchy, path: string | undefined, containerId: string): string {
  const { mountPoint, own, version } = hierarchy;
  const base = version === 1 ? own : dirname(own);
  if (path === undefined || path === "") return join(mountPoint, base, containerId);
  const unit = unitPlaceOf(path)?.path;
  const inside = normalize(`/${unit ?? path}`);
  return unit !== undefined || path.startsWith("/") ? join(mountPoint, inside) : join(mountPoint, base, inside);
}
