import { connectAgent } from "@kata-ts/agent-protocol";
import { type Factory, QemuHypervisor, type QemuHypervisorOptions } from "@kata-ts/virtcontainers";
import type { Composition } from "./composition.ts";
import { type MachineOptions, machineOptions } from "./machine-options.ts";

/** Templates and cache are loaded when the first VM is made: a VM that is there needs neither. */
export async function makeHypervisor(composition: Composition): Promise<QemuHypervisor> {
  const options = await machineOptions(composition);
  const { config, proxyPath, factory, warn } = options;
  return new QemuHypervisor({
    config,
    proxyPath,
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

function laterCache(options: MachineOptions): NonNullable<QemuHypervisorOptions["cache"]> {
  return { take: async (request) => (await import("./vm-sources.ts")).makeCache(options).take(request) };
}
