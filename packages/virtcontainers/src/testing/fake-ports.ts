import type { ConnectAgent } from "../ports/agent.ts";
import type { Ports } from "../ports/ports.ts";
import { MemoryStore } from "../store/memory-store.ts";
import { FakeCgroups } from "./fake-cgroups.ts";
import { FakeHypervisor } from "./fake-hypervisor.ts";
import { FakeNetwork } from "./fake-network.ts";

export interface FakePorts extends Ports {
  readonly hypervisor: FakeHypervisor;
  readonly network: FakeNetwork;
  readonly cgroups: FakeCgroups;
}

/** Ports without VMs: records and cgroups in memory, VMs that are idle processes, a network without interfaces, no warnings. */
export function fakePorts(connectAgent: ConnectAgent): FakePorts {
  return {
    store: new MemoryStore(),
    hypervisor: new FakeHypervisor(),
    connectAgent,
    network: new FakeNetwork(),
    cgroups: new FakeCgroups(),
    warn: () => undefined,
  };
}
