import type { RuntimeSpec, SpecIdMapping, SpecNamespace } from "@kata-ts/agent-protocol";
import { deviceRules } from "./device-rules.ts";

/** How ids in a user namespace are ids outside. */
export interface Mappings {
  readonly uidMappings: readonly SpecIdMapping[];
  readonly gidMappings: readonly SpecIdMapping[];
}

/** Namespaces of the sandbox that its containers share; a missing path means one of the container's own. */
export interface SharedNamespaces {
  readonly ipc: string | undefined;
  readonly uts: string | undefined;
  readonly pid: string | undefined;
  /** The namespace that owns the others, for a container that has its users mapped. */
  readonly user?: string;
  /** Those of the user namespace. For a namespace that is joined, config.json's may be anything. */
  readonly mappings?: Mappings;
}

/**
 * The version of the specification that the guest's runtime gets. The host has checked the engine's own: a newer one is
 * nothing but newer fields, and crun refuses any that it does not know by name.
 */
const GUEST_OCI_VERSION = "1.0.2";

/** Where the host has the guest's own root file system mounted for a look around in it. */
const GUEST_ROOTS = "/run/kata-containers/guest-root/";

/**
 * The config.json that crun gets. The VM itself is the network namespace; IPC and UTS are the sandbox's, and PID when
 * the sandbox shares it. The cgroup is one below our own parent, whatever the host calls it, and always the root of a
 * namespace of its own: engines on hosts with cgroup v1 ask for none, and a container would see the guest's cgroups.
 * A look around in the guest itself has the guest's.
 * What the host has warned of is left out: crun 1.8 ignores these fields, 1.21 fails by them.
 */
export function toGuestSpec(spec: RuntimeSpec, containerId: string, shared: SharedNamespaces): RuntimeSpec {
  const namespaces = (spec.linux?.namespaces ?? [])
    .filter(({ type }) => type !== "network" && type !== "cgroup" && type !== "time")
    .map(({ type }) => joinShared(type, shared));
  if (spec.root?.path.startsWith(GUEST_ROOTS) !== true) namespaces.push({ type: "cgroup" });
  const linux = withoutHostsOwn(spec);
  const resources = { ...linux.resources, devices: deviceRules(linux) };
  return {
    ...withoutHooks(spec),
    ociVersion: GUEST_OCI_VERSION,
    linux: { ...linux, ...shared.mappings, namespaces, resources, cgroupsPath: `/kata/${containerId}` },
  };
}

/** Clocks, caches and memory nodes that are the host's, or the whole VM's. */
const HOSTS_OWN: ReadonlySet<string> = new Set(["timeOffsets", "intelRdt", "memoryPolicy"]);

function withoutHostsOwn({ linux = {} }: RuntimeSpec): NonNullable<RuntimeSpec["linux"]> {
  return Object.fromEntries(Object.entries(linux).filter(([name]) => !HOSTS_OWN.has(name)));
}

function joinShared(type: string, shared: SharedNamespaces): SpecNamespace {
  const { ipc, uts, pid, user } = shared;
  const path = { ipc, uts, pid, user }[type];
  return path === undefined ? { type } : { type, path };
}

/** Most hooks name programs of the host; startContainer's are run by start-hooks.ts. */
function withoutHooks(spec: RuntimeSpec): RuntimeSpec {
  return Object.fromEntries(Object.entries(spec).filter(([name]) => name !== "hooks")) as unknown as RuntimeSpec;
}
