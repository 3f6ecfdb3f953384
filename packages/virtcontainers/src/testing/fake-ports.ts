import { noCgroups } from "../cgroup/no-cgroups.ts";
import type { Environment } from "../environment.ts";
import { noNetwork } from "../network/no-network.ts";
import type { ConnectAgent } from "../ports/agent.ts";
import { MemoryStore } from "../store/memory-store.ts";
import { FakeHypervisor } from "./fake-hypervisor.ts";

/** Ports that touch nothing of the host: records in memory, VMs that are idle processes, no network, no cgroups, no warnings. */
export function fakePorts(connectAgent: ConnectAgent): Environment & { readonly hypervisor: FakeHypervisor } {
  return {
    store: new MemoryStore(),
    hypervisor: new FakeHypervisor(),
    connectAgent,
    network: noNetwork,
    cgroups: noCgroups,
    warn: () => undefined,
  };
}
