import { connectAgent } from "@kata-ts/agent-protocol";
import { type Factory, VmmHypervisor, type VmmHypervisorOptions } from "@kata-ts/virtcontainers";
import type { Composition } from "../context.ts";
import { type MachineOptions, machineOptions } from "./machine-options.ts";

/** Templates and cache are loaded when the first VM is made: a VM that is there needs neither. */
export async function makeHypervisor(composition: Composition): Promise<VmmHypervisor> {
  const options = await machineOptions(composition);
  return hypervisorOf(options, { proxyPath: options.proxyPath });
}

/** VMs that belong to this process, and end with it. */
export async function makeOwnHypervisor(composition: Composition): Promise<VmmHypervisor> {
  return hypervisorOf(await machineOptions(composition), {});
}

function hypervisorOf(options: MachineOptions, supervisor: Pick<VmmHypervisorOptions, "proxyPath">): VmmHypervisor {
  const { vmm, factory, warn } = options;
  return new VmmHypervisor({
    vmm,
    ...supervisor,
    ...(factory.enabled ? { factory: { templates: laterTemplates(options), connectAgent, warn } } : {}),
    ...(factory.cacheSize > 0 ? { cache: laterCache(options) } : {}),
  });
}

function laterTemplates(options: MachineOptions): Factory["templates"] {
  return {
    find: async (machine) => (await import("./vm-sources.ts")).makeTemplates(options).find(machine),
    noteUse: async (template) => (await import("./vm-sources.ts")).makeTemplates(options).noteUse(template),
  };
}

function laterCache(options: MachineOptions): NonNullable<VmmHypervisorOptions["cache"]> {
  return { take: async (request) => (await import("./vm-sources.ts")).makeCache(options).take(request) };
}
