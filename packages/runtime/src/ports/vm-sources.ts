import { connectAgent } from "@kata-ts/agent-protocol";
import { Templates, VmCache } from "@kata-ts/virtcontainers";
import type { MachineOptions } from "./machine-options.ts";

/** Where VMs wait for a container. */
export function makeCache({ factory, vmm, warn }: MachineOptions): VmCache {
  return new VmCache({ vmm, directory: `${factory.path}.cache`, connectAgent, warn });
}

/** Where guests are that were saved to be cloned. */
export function makeTemplates({ factory }: MachineOptions): Templates {
  return new Templates(factory.path);
}
