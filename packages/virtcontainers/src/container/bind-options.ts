import { realpathSync } from "node:fs";
import { posix } from "node:path";
import type { RuntimeSpec, SpecMount } from "@kata-ts/agent-protocol";
import { KataError } from "../errors.ts";
import { coveringMount, type HostMount, mountTable } from "../host/mount-table.ts";
import type { ShareOptions } from "../ports/hypervisor.ts";

/** The guest's own /proc, /sys and /dev are meant by these, as under Kata 1.x. */
const GUEST_OWN = /^\/(proc|sys|dev)(\/|$)/;

/** Whether a mount of config.json is one of files that the host shares. */
export function isHostBind({ type, source, options = [] }: SpecMount, mounts?: readonly HostMount[]): boolean {
  const bind = type === "bind" || options.includes("bind") || options.includes("rbind");
  if (!bind || source === undefined) return false;
  return !GUEST_OWN.test(posix.normalize(source)) || isBelowDev(source, mounts ?? mountTable());
}

/** What kernels make themselves below /dev. */
const KERNELS: ReadonlySet<string> = new Set(["devpts", "mqueue", "hugetlbfs", "devtmpfs"]);

/** Files that the host keeps in another file system below /dev, such as a directory in /dev/shm: no guest has those. */
function isBelowDev(source: string, mounts: readonly HostMount[]): boolean {
  const path = resolved(source);
  if (path?.startsWith("/dev/") !== true) return false;
  const covering = coveringMount(mounts, path);
  return (
    covering !== undefined &&
    /^\/dev\/./.test(covering.point) &&
    covering.point !== path &&
    !KERNELS.has(covering.fsType)
  );
}

/** What a bind mount's options ask of the host, and what is left for the guest's runtime. */
interface BindOptions {
  readonly share: ShareOptions;
  readonly guest: readonly string[];
}

/**
 * `ro` is about the mount itself, `rro` about all mounts below it, too, as with runc. The host enforces both. A guest sees
 * the mounts below a source as parts of one mount, so that its own `ro` would cover them: it is left to the host there.
 */
export function bindOptions({ source = "", options = [] }: SpecMount): BindOptions {
  const readonly = options.lastIndexOf("ro") > options.lastIndexOf("rw");
  const readonlyTree = options.lastIndexOf("rro") > options.lastIndexOf("rrw");
  const recursive = options.includes("rbind");
  const hostOnly = readonly && !readonlyTree && recursive && hasMountsBelow(source);
  const slave = options.includes("rslave") || options.includes("slave");
  return {
    share: { readonly, readonlyTree, recursive, ...(slave ? { propagation: "slave" } : {}) },
    guest: hostOnly ? options.filter((option) => option !== "ro") : options,
  };
}

/**
 * Refuses what a bind mount cannot have, before anything is made.
 *
 * @throws KataError KATA_UNSUPPORTED for mounts of the guest that the host is to see, and for owners that are mapped
 */
export function checkBinds({ mounts = [] }: RuntimeSpec): void {
  for (const mount of mounts.filter((each) => isHostBind(each))) {
    const shared = mount.options?.find((option) => option === "rshared" || option === "shared");
    if (shared !== undefined) throw refused(mount, `option ${shared}`, "use rslave: the host's later mounts get there");
    if (hasIdMap(mount)) throw refused(mount, "mapped owners (idmap)", "map the owners on the host");
  }
}

function hasIdMap({ options = [], ...rest }: SpecMount): boolean {
  const { uidMappings, gidMappings } = rest as { uidMappings?: unknown; gidMappings?: unknown };
  const byOption = options.includes("idmap") || options.includes("ridmap");
  return byOption || uidMappings !== undefined || gidMappings !== undefined;
}

function refused({ destination }: SpecMount, what: string, hint: string): KataError {
  return new KataError("KATA_UNSUPPORTED", `mount ${destination}: ${what} cannot cross into another kernel`, { hint });
}

function hasMountsBelow(source: string): boolean {
  const path = resolved(source);
  if (path === undefined) return false;
  const prefix = path === "/" ? path : `${path}/`;
  return mountTable().some(({ point }) => point !== path && point.startsWith(prefix));
}

/** A missing source is an error later, when it is shared. */
function resolved(source: string): string | undefined {
  try {
    return realpathSync(source);
  } catch {
    return undefined;
  }
}
