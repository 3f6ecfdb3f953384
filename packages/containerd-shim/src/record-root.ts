import type { ShimFlags } from "./flags.ts";

/** Records of containers, by containerd's namespaces: ids are of one of them. */
const ROOT = "/run/kata-ts/containerd";

/** The directory with the records of a namespace's containers. @throws Error for a name that is none */
export function recordRoot({ namespace }: Pick<ShimFlags, "namespace">): string {
  if (!/^[A-Za-z0-9][\w.-]*$/.test(namespace)) throw new Error(`${JSON.stringify(namespace)} is no namespace`);
  return `${ROOT}/${namespace}`;
}
