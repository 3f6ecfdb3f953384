import { connectAgent } from "@kata-ts/agent-protocol";
import { dial } from "@kata-ts/linux";
import { noCgroups } from "../cgroup/no-cgroups.ts";
import { KataError } from "../errors.ts";
import { requirePrivileges } from "../host/privileges.ts";
import { NamespaceNetwork } from "../network/namespace-network.ts";
import { noNetwork } from "../network/no-network.ts";
import type { Ports } from "../ports/ports.ts";
import { MemoryStore } from "../store/memory-store.ts";
import { VmmHypervisor } from "../vm/vmm-hypervisor.ts";
import type { QemuConfig } from "../vmm-qemu/qemu-config.ts";
import { QemuVmm } from "../vmm-qemu/qemu-vmm.ts";
import { publishStep } from "./events.ts";
import { machineOf } from "./machine-of.ts";
import type { SandboxOptions } from "./sandbox-options.ts";

/** What of the options decides about the ports. */
type Machine = Pick<SandboxOptions, "vm" | "from" | "network" | "signal">;

/** For a block device that the host uses itself. @throws KataError KATA_CONFIG */
export function refuseBusy(message: string): never {
  throw new KataError("KATA_CONFIG", message, { hint: "unmount it on the host first" });
}

/** The ports of a program that runs its VMs itself, and the machine that they are of. */
export interface BuiltInPorts extends Ports {
  readonly machine: QemuConfig;
}

/** The machine of VMs that were made through such ports; undefined of others. */
export function machineOfPorts(ports: Ports): QemuConfig | undefined {
  return (ports as Partial<BuiltInPorts>).machine;
}

/** @throws KataError KATA_PRIVILEGES, KATA_GUEST */
export async function builtIn({ from: template, vm, network = "none", signal }: Machine): Promise<BuiltInPorts> {
  requirePrivileges();
  const config = template?.vm ?? (await machineOf(vm, signal));
  const warn = (message: string): void => {
    process.emitWarning(message);
  };
  const model = typeof network === "string" ? undefined : network.model;
  return {
    machine: config,
    store: new MemoryStore(),
    hypervisor: new VmmHypervisor({ vmm: new QemuVmm(config), factory: template?.factory(warn) }),
    connectAgent: (url) => connectAgent(url, { keepsRunning: false, dial }),
    network:
      network === "none"
        ? noNetwork
        : new NamespaceNetwork({ model: model ?? "tcfilter", queues: config.vcpus, vhost: true, warn }),
    cgroups: noCgroups,
    warn,
    trace: publishStep,
  };
}
