import { join } from "node:path/posix";

/** A unit of systemd that holds a container. */
export interface UnitPlace {
  /** `docker-abc.scope`. */
  readonly unit: string;
  /** The slice that it is in: `system.slice`. */
  readonly slice: string;
  /** Where systemd has its cgroup in each hierarchy: `/system.slice/docker-abc.scope`. */
  readonly path: string;
}

const DEFAULT_SLICE = "system.slice";

/**
 * "slice:prefix:name", as engines write it that let systemd manage cgroups: the scope `prefix-name.scope` in its slice,
 * whose dashes are its parents. Undefined for a plain path.
 */
export function unitPlaceOf(path: string): UnitPlace | undefined {
  const [slice, prefix, name, ...more] = path.split(":");
  if (slice === undefined || prefix === undefined || name === undefined) return undefined;
  if (more.length > 0 || path.includes("/") || name === "") return undefined;
  const unit = name.endsWith(".slice") ? name : prefix === "" ? `${name}.scope` : `${prefix}-${name}.scope`;
  const inSlice = slice === "" ? DEFAULT_SLICE : slice.endsWith(".slice") ? slice : `${slice}.slice`;
  return { unit, slice: inSlice, path: join("/", ...slicesAbove(inSlice), unit) };
}

/** "a-b.slice" is in "a.slice"; "-.slice" is the root. */
function slicesAbove(slice: string): string[] {
  const parts = slice.replace(/\.slice$/, "").split("-");
  return parts[0] === "" ? [] : parts.map((_, index) => `${parts.slice(0, index + 1).join("-")}.slice`);
}
