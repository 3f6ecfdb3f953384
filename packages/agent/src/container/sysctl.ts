import { existsSync, writeFileSync } from "node:fs";
import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import { inNamespace } from "@kata-ts/linux";
import { invalidArgument } from "../errors.ts";
import type { SharedNamespaces } from "./guest-spec.ts";

const IPC = /^(kernel[./](msg|sem|shm)|fs[./]mqueue[./])/;
const NETWORK = /^net[./]/;

/**
 * Sets the kernel parameters of namespaces that the container does not make but joins: the network's is the VM, IPC is
 * the sandbox's. crun would refuse them. Returns the spec with those that are left for it.
 *
 * @throws AgentRpcError when the kernel does not take a value
 */
export function applySharedSysctls(spec: RuntimeSpec, shared: SharedNamespaces): RuntimeSpec {
  const all = Object.entries(spec.linux?.sysctl ?? {});
  const isOurs = (name: string): boolean => NETWORK.test(name) || (shared.ipc !== undefined && IPC.test(name));
  for (const [name, value] of all.filter(([key]) => isOurs(key))) {
    if (NETWORK.test(name) || shared.ipc === undefined) set(name, value);
    else
      inNamespace("ipc", shared.ipc, () => {
        set(name, value);
      });
  }
  const sysctl = Object.fromEntries(all.filter(([name]) => !isOurs(name)));
  return { ...spec, linux: { ...spec.linux, sysctl } };
}

function set(name: string, value: string): void {
  // Slashes may stand for dots, so that a dot may stand in an interface's name.
  const slashed = name.includes("/") && (!name.includes(".") || name.indexOf("/") < name.indexOf("."));
  const path = `/proc/sys/${slashed ? name : name.replaceAll(".", "/")}`;
  if (path.includes("..") || !existsSync(path)) throw invalidArgument(`linux.sysctl: the guest has no ${name}`);
  try {
    writeFileSync(path, value);
  } catch (error) {
    throw invalidArgument(`linux.sysctl ${name}=${value}: ${(error as NodeJS.ErrnoException).code ?? "refused"}`);
  }
}
