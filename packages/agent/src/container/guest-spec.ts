import type { RuntimeSpec, SpecNamespace } from "@kata-ts/agent-protocol";

/** Namespaces of the sandbox that its containers share; a missing path means one of the container's own. */
export interface SharedNamespaces {
  readonly ipc: string | undefined;
  readonly uts: string | undefined;
  readonly pid: string | undefined;
}

/**
 * The config.json that crun gets. The VM itself is the network namespace; IPC and UTS are the sandbox's, and PID when
 * the sandbox shares it. The cgroup is one below our own parent, whatever the host calls it.
 */
export function toGuestSpec(spec: RuntimeSpec, containerId: string, shared: SharedNamespaces): RuntimeSpec {
  const namespaces = (spec.linux?.namespaces ?? [])
    .filter(({ type }) => type !== "network")
    .map(({ type }) => joinShared(type, shared));
  return { ...withGuestHooks(spec), linux: { ...spec.linux, namespaces, cgroupsPath: `/kata/${containerId}` } };
}

function joinShared(type: string, shared: SharedNamespaces): SpecNamespace {
  const path = type === "ipc" ? shared.ipc : type === "uts" ? shared.uts : type === "pid" ? shared.pid : undefined;
  return path === undefined ? { type } : { type, path };
}

/** Of the hooks only startContainer's name programs of the container; the others name programs of the host. */
function withGuestHooks({ hooks, ...spec }: RuntimeSpec): RuntimeSpec {
  const startContainer = hooks?.startContainer ?? [];
  return startContainer.length === 0 ? spec : { ...spec, hooks: { startContainer } };
}
