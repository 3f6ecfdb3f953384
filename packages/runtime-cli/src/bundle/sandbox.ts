import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import { type ContainerId, KataError, parseContainerId } from "@kata-ts/virtcontainers";

/** How engines for Kubernetes tell a pod's first container from the others; the first that is there wins. */
interface Dialect {
  readonly engine: string;
  readonly type: string;
  /** What the type is for the first container. */
  readonly sandbox: string;
  /** Where the others name it. */
  readonly sandboxId: string;
}

const DIALECTS: readonly Dialect[] = [
  {
    engine: "containerd",
    type: "io.kubernetes.cri.container-type",
    sandbox: "sandbox",
    sandboxId: "io.kubernetes.cri.sandbox-id",
  },
  // podman writes these for the members of its pods, and nothing for the first container.
  {
    engine: "CRI-O",
    type: "io.kubernetes.cri-o.ContainerType",
    sandbox: "sandbox",
    sandboxId: "io.kubernetes.cri-o.SandboxID",
  },
  {
    engine: "dockershim",
    type: "io.kubernetes.docker.type",
    sandbox: "podsandbox",
    sandboxId: "io.kubernetes.sandbox.id",
  },
];

/**
 * The id of the sandbox that a container is to join; undefined when it is to have one of its own, as a pod's first
 * container and as one that belongs to no pod.
 *
 * @throws KataError KATA_CONFIG for annotations that say half of it, or something else
 */
export function sandboxToJoin({ annotations = {} }: RuntimeSpec): ContainerId | undefined {
  const dialect = DIALECTS.find(({ type }) => annotations[type] !== undefined);
  if (dialect === undefined) return undefined;
  const type = annotations[dialect.type] ?? "";
  if (type === dialect.sandbox) return undefined;
  if (type !== "container") {
    throw new KataError("KATA_CONFIG", `annotation ${dialect.type}: unknown container type "${type}"`, {
      hint: `${dialect.engine} writes "${dialect.sandbox}" or "container"`,
    });
  }
  const id = annotations[dialect.sandboxId];
  if (id === undefined) {
    throw new KataError("KATA_CONFIG", `annotation ${dialect.sandboxId} is missing: it names the pod's sandbox`);
  }
  return parseContainerId(id);
}

/** Whether it is the first container of a pod that says so: its engine forwards ports of the pod. */
export function isPodSandbox({ annotations = {} }: RuntimeSpec): boolean {
  return DIALECTS.some(({ type, sandbox }) => annotations[type] === sandbox);
}

/** Whether a container asks for the PID namespace of another one in its pod. */
export function sharesPidNamespace({ linux }: RuntimeSpec): boolean {
  const namespace = linux?.namespaces?.find(({ type }) => type === "pid");
  return namespace?.path !== undefined && namespace.path !== "";
}
