import { closeSync } from "node:fs";
import { becomeUser, changeRoot, createMemoryFileSystem, denySystemCalls } from "@kata-ts/linux";
import { mountOwnProc } from "./container-view.ts";

/** Where a shim is, and as which user it runs, once it has connected. */
export interface ShimPlace {
  /** Absent: it keeps its user. */
  readonly user: number | undefined;
  /** Whether the runtime has given it the container's files as its root; else it gets an empty one. */
  readonly inContainer: boolean;
}

/** Takes from a shim what it does not need once its streams are open; for good. @throws LinuxError */
export function confine({ user, inContainer }: ShimPlace): void {
  if (inContainer) mountOwnProc();
  else if (user !== undefined) enterEmptyRoot();
  if (user !== undefined) becomeUser(user);
  denySystemCalls();
}

/** For the shim of a further process, which no engine looks into. */
function enterEmptyRoot(): void {
  const root = createMemoryFileSystem(4096);
  changeRoot(`/proc/self/fd/${String(root)}`);
  closeSync(root);
}
