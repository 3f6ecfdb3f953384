import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import { type ContainerId, KataError, parseContainerId } from "@kata-ts/virtcontainers";

/**
 * How an engine tells a pod's containers from each other. The first dialect that speaks decides: one with a type speaks
 * where the type is there, one without where a sandbox is named.
 */
interface Dialect {
  readonly engine: string;
  /** The annotation that has the container's type; podman 5 writes none. */
  readonly type?: string;
  /** What the type is for the pod's first container. */
  readonly sandbox?: string;
  /** The annotation that names the pod's first container. */
  readonly sandboxId: string;
}

/** What a container that belongs to a pod has for its type. */
const MEMBER = "container";

const DIALECTS: readonly Dialect[] = [
  {
    engine: "containerd",
    type: "io.kubernetes.cri.container-type",
    sandbox: "sandbox",
    sandboxId: "io.kubernetes.cri.sandbox-id",
  },
  // podman 4 writes these for the members of its pods, and nothing for the first container.
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
  { engine: "podman 5", sandboxId: "io.kubernetes.cri-o.SandboxID" },
];

/** What a container is to its pod, if it has one: a virtual machine is made for all but members. */
export type PodRole =
  | { readonly kind: "single" }
  | { readonly kind: "sandbox" }
  | { readonly kind: "member"; readonly sandboxId: ContainerId };

/**
 * Tells a container's role from its annotations and its own id, which is its pod's where it is the first.
 *
 * @throws KataError KATA_CONFIG for annotations that say half of it, or something else
 */
export function podRole({ annotations = {} }: RuntimeSpec, id: string): PodRole {
  const dialect = DIALECTS.find(({ type, sandboxId }) => annotations[type ?? sandboxId] !== undefined);
  if (dialect === undefined) return { kind: "single" };
  const type = dialect.type === undefined ? MEMBER : (annotations[dialect.type] ?? "");
  if (type === dialect.sandbox) return { kind: "sandbox" };
  if (type !== MEMBER) {
    throw new KataError("KATA_CONFIG", `annotation ${dialect.type ?? ""}: unknown container type "${type}"`, {
      hint: `${dialect.engine} writes "${dialect.sandbox ?? ""}" or "${MEMBER}"`,
    });
  }
  const sandboxId = annotations[dialect.sandboxId];
  if (sandboxId === undefined) {
    throw new KataError("KATA_CONFIG", `annotation ${dialect.sandboxId} is missing: it names the pod's sandbox`);
  }
  if (sandboxId === id) return { kind: "sandbox" };
  return { kind: "member", sandboxId: parseContainerId(sandboxId) };
}

/** Whether a container asks for the PID namespace of another one in its pod. */
export function sharesPidNamespace({ linux }: RuntimeSpec): boolean {
  const namespace = linux?.namespaces?.find(({ type }) => type === "pid");
  return namespace?.path !== undefined && namespace.path !== "";
}
