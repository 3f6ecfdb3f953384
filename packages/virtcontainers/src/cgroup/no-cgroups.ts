import type { Cgroups } from "../ports/cgroups.ts";

/** Processes stay in the cgroup of their parent. */
export const noCgroups: Cgroups = {
  open: () => ({ directories: [], make: () => undefined, add: () => undefined }),
  add: () => undefined,
  moveToRoot: () => undefined,
  update: () => undefined,
  remove: () => Promise.resolve(),
};
