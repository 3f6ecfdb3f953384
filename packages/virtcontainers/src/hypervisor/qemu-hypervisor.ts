import type { BootRequest, FoundVm, Hypervisor, Vm, VmOverhead, VmState } from "../ports/hypervisor.ts";
import { findVms } from "./find-vms.ts";
import type { QemuHypervisorOptions } from "./qemu-hypervisor-options.ts";
import { QemuVm } from "./qemu-vm.ts";
import { requireFiles } from "./required-files.ts";

/** Memory of QEMU itself (under TCG with the code that it translates), virtiofsd, kata-proxy and shims, with room. */
const HELPERS_MIB = 512;
/** What they may keep busy while the guest does I/O. */
const HELPERS_CPUS = 1;

/** QEMU behind the Hypervisor port. */
export class QemuHypervisor implements Hypervisor {
  readonly #options: QemuHypervisorOptions;

  constructor(options: QemuHypervisorOptions) {
    this.#options = options;
  }

  get overhead(): VmOverhead {
    const { memoryMiB, vcpus } = this.#options.config;
    return { memoryMiB: memoryMiB + HELPERS_MIB, cpus: vcpus + HELPERS_CPUS };
  }

  async boot(request: BootRequest): Promise<Vm> {
    const { config, cache } = this.#options;
    requireFiles(config);
    const cached = await cache?.take(request);
    if (cached === undefined) return this.#make(request, false);
    request.onStep?.("VM taken from the cache");
    return cached;
  }

  /** A new VM that waits, once it is committed, to be taken by whom it is for. */
  async prepare(request: BootRequest): Promise<QemuVm> {
    requireFiles(this.#options.config);
    return this.#make(request, true);
  }

  /** What makes a VM is loaded for who makes one: most calls are about VMs that there are. */
  async #make(request: BootRequest, cached: boolean): Promise<QemuVm> {
    const { makeVm } = await import("./make-vm.ts");
    return makeVm(this.#options, request, cached);
  }

  found(): Promise<FoundVm[]> {
    return findVms(this.#options.config.vmRoot);
  }

  reopen(state: VmState): Vm {
    return new QemuVm(state, this.#options.config, undefined);
  }
}
