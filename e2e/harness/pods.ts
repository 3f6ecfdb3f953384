import type { EditableSpec } from "./bundle.ts";
import type { Kata } from "./kata.ts";

/** Annotations as containerd's CRI plugin writes them. */
function sandboxAnnotations(id: string): Record<string, string> {
  return { "io.kubernetes.cri.container-type": "sandbox", "io.kubernetes.cri.sandbox-id": id };
}

export function memberAnnotations(sandboxId: string): Record<string, string> {
  return { "io.kubernetes.cri.container-type": "container", "io.kubernetes.cri.sandbox-id": sandboxId };
}

type Edit = (spec: EditableSpec) => void;

/** Starts a pod's first container. @returns its id */
export async function startSandbox(kata: Kata, edit: Edit = () => undefined): Promise<string> {
  const id = kata.id();
  const { path } = await kata.bundle({
    args: IDLE,
    edit: (spec) => {
      spec.annotations = sandboxAnnotations(id);
      spec.hostname = "podhost";
      edit(spec);
    },
  });
  await kata.create(id, path);
  await kata.ok(["start", id]);
  return id;
}

/** Starts another container in a pod, which joins the namespaces of the first as engines have it. @returns its id */
export async function startMember(
  kata: Kata,
  sandbox: string,
  args: readonly string[],
  edit: Edit = () => undefined,
): Promise<string> {
  const { pid } = await kata.state(sandbox);
  return kata.start({
    args,
    edit: (spec) => {
      spec.annotations = memberAnnotations(sandbox);
      spec.root.readonly = false;
      delete spec.hostname;
      joinNamespaces(spec, pid, ["network", "ipc", "uts"]);
      edit(spec);
    },
  });
}

export function joinNamespaces(spec: EditableSpec, pid: number, types: readonly string[]): void {
  const { namespaces } = spec.linux as { namespaces: { type: string; path?: string }[] };
  const files: Readonly<Record<string, string>> = { network: "net" };
  for (const entry of namespaces) {
    if (types.includes(entry.type)) entry.path = `/proc/${String(pid)}/ns/${files[entry.type] ?? entry.type}`;
  }
}

/** Ends at SIGTERM, and costs nothing until then. */
export const IDLE: readonly string[] = ["sh", "-c", "trap exit TERM; sleep 10000 & wait"];
