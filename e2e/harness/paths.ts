import { join } from "node:path";

export const ROOT: string = join(import.meta.dirname, "..", "..");
export const DIST: string = join(ROOT, "dist", "kata-ts");
export const RUNTIME: string = join(DIST, "bin", "kata-runtime");
/** The directory that containerd finds our shim in. */
export const PROGRAMS: string = join(DIST, "bin");
export const CONTAINERD_SHIM: string = join(PROGRAMS, "containerd-shim-kata-v2");
export const SHARE: string = join(DIST, "share", "kata-ts");
/** Where the runtime keeps its VMs. */
export const VM_ROOT = "/run/kata-ts/vm";
