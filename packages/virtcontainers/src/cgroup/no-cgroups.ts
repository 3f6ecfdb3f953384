import type { Cgroups } from "../ports/cgroups.ts";

/** Processes stay in the cgroup of their parent. */
export const noCgroups: Cgroups = {
  open: () => ({
    place: { directories: [] },
    make: () => undefined,
    begin: () => Promise.resolve(),
    add: () => undefined,
  }),
  add: () => undefined,
  moveToRoot: () => undefined,
  update: () => Promise.resolve(),
  thaw: () => undefined,
  remove: () => Promise.resolve(),
};
