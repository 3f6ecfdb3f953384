import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import { namespaceKindOf } from "@kata-ts/linux";
import { KataError } from "@kata-ts/virtcontainers";

/** config.json's names, as the kernel spells them. */
const KINDS: Readonly<Record<string, string>> = {
  network: "net",
  mount: "mnt",
  pid: "pid",
  ipc: "ipc",
  uts: "uts",
  user: "user",
  cgroup: "cgroup",
  time: "time",
};

/**
 * A path has to be of a namespace of its type. One that is not there is refused where it is used: a member of a pod may
 * name those of a first container that has ended.
 *
 * @throws KataError KATA_CONFIG
 */
export function checkNamespaces({ linux }: RuntimeSpec): void {
  for (const { type, path } of linux?.namespaces ?? []) {
    const kind = KINDS[type];
    if (kind === undefined) throw new KataError("KATA_CONFIG", `linux.namespaces: there is no type "${type}"`);
    if (path === undefined || path === "") continue;
    const found = kindOf(path);
    if (found === kind || found === "absent") continue;
    const what = found === undefined ? "no namespace" : `a namespace of the kind ${found}`;
    throw new KataError("KATA_CONFIG", `linux.namespaces: ${path} is ${what}, not one of the type ${type}`, {
      hint: `a path such as /proc/PID/ns/${kind} is one`,
    });
  }
}

function kindOf(path: string): string | undefined {
  try {
    return namespaceKindOf(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENXIO") return "absent";
    throw new KataError("KATA_CONFIG", `linux.namespaces: ${path} cannot be opened: ${String(code)}`, { cause: error });
  }
}
