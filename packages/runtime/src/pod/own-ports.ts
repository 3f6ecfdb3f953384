import { type Hypervisor, LocalShims, PodCgroups, type Vm } from "@kata-ts/virtcontainers";
import type { Composition, PortMakers } from "../context.ts";
import { makeCgroups } from "../ports/cgroups.ts";
import { makeOwnHypervisor } from "../ports/hypervisor.ts";
import { reachAgent } from "../ports/reach-agent.ts";

/** Ports of a process that owns a VM. Each is made once, and all operations of the pod work through it. */
export interface OwnPorts {
  readonly makers: Partial<PortMakers>;
  /** The VM, once it was booted. */
  readonly vm: () => Vm | undefined;
}

/** @param others are made instead of the ports of this host */
export function ownPorts(others: Partial<PortMakers> = {}): OwnPorts {
  const { hypervisor = makeOwnHypervisor, cgroups = makeCgroups, connectAgent: connect = () => reachAgent } = others;
  let vm: Vm | undefined;
  const makers: Partial<PortMakers> = {
    ...others,
    hypervisor: once(async (composition) =>
      noting(await hypervisor(composition), (booted) => {
        vm = booted;
      }),
    ),
    cgroups: once(async (composition) => new PodCgroups(await cgroups(composition))),
    shims: once(async (composition) => new LocalShims(await connect(composition))),
  };
  return { makers, vm: () => vm };
}

function once<T>(make: (composition: Composition) => Promise<T>): (composition: Composition) => Promise<T> {
  let made: Promise<T> | undefined;
  return (composition) => (made ??= make(composition));
}

function noting(hypervisor: Hypervisor, onBoot: (vm: Vm) => void): Hypervisor {
  return {
    overhead: hypervisor.overhead,
    capabilities: hypervisor.capabilities,
    boot: async (request) => {
      const vm = await hypervisor.boot(request);
      onBoot(vm);
      return vm;
    },
    reopen: (state) => hypervisor.reopen(state),
    found: () => hypervisor.found(),
    take: (state) => hypervisor.take(state),
    fingerprint: (accelerator) => hypervisor.fingerprint(accelerator),
  };
}
