import type { BootRequest, NicBackend, Vm } from "../ports/hypervisor.ts";
import type { Machine, Vmm } from "../ports/vmm.ts";
import { VmmHypervisor } from "../vm/vmm-hypervisor.ts";

/** A monitor, and what the host has for its machines. */
export interface VmmUnderTest {
  readonly vmm: Vmm;
  /** Resolves when the guest is up: it lets go of devices then. */
  ready(vm: Vm): Promise<void>;
  /** The host's end of a network card. */
  nic(): Promise<HostNic>;
  /** A block device of the host's. */
  disk(): Promise<HostDisk>;
}

export interface HostNic extends AsyncDisposable {
  readonly backend: NicBackend;
}

export interface HostDisk extends AsyncDisposable {
  readonly path: string;
}

/** Starts a machine as every VM's is, by VmmHypervisor, and ends it. */
export async function withVm(
  vmm: Vmm,
  request: Pick<BootRequest, "growth">,
  body: (vm: Vm) => Promise<void>,
): Promise<void> {
  const vm = await new VmmHypervisor({ vmm }).boot({ sandboxId: "compliance", ...request });
  try {
    await body(vm);
  } finally {
    await vm.stop();
  }
}

/** A machine whose guest is up. */
export async function withMachine(under: VmmUnderTest, body: (machine: Machine) => Promise<void>): Promise<void> {
  await withVm(under.vmm, {}, async (vm) => {
    await under.ready(vm);
    await body(await under.vmm.machine(vm.state));
  });
}
