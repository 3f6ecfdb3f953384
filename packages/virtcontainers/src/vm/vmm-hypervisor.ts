import type { VmCapabilities } from "../ports/capabilities.ts";
import type { BootRequest, FoundVm, Hypervisor, Vm, VmOverhead, VmState } from "../ports/hypervisor.ts";
import type { Fingerprint } from "../ports/saved-vm.ts";
import { growthAtBoot } from "./boot-growth.ts";
import { findVms } from "./find-vms.ts";
import { requireCapability, SAVE_HINT } from "./require-capability.ts";
import { requireSettings } from "./require-settings.ts";
import { VmHandle } from "./vm-handle.ts";
import type { VmmHypervisorOptions } from "./vmm-hypervisor-options.ts";

/** Memory of the monitor itself (under emulation with the code that it translates), virtiofsd, kata-proxy and shims, with room. */
const HELPERS_MIB = 512;
/** What they may keep busy while the guest does I/O. */
const HELPERS_CPUS = 1;

/** Any virtual machine monitor behind the Hypervisor port. */
export class VmmHypervisor implements Hypervisor {
  readonly #options: VmmHypervisorOptions;
  /** VMs whose supervisor lives in this process, by their directories. */
  readonly #own: Map<string, VmHandle> = new Map();

  constructor(options: VmmHypervisorOptions) {
    this.#options = options;
  }

  get overhead(): VmOverhead {
    const { memoryMiB, vcpus } = this.#options.vmm.size;
    return { memoryMiB: memoryMiB + HELPERS_MIB, cpus: vcpus + HELPERS_CPUS };
  }

  get capabilities(): VmCapabilities {
    return this.#options.vmm.capabilities;
  }

  async fingerprint(accelerator?: string): Promise<Fingerprint> {
    const { vmm } = this.#options;
    requireCapability(vmm, "saveRunning", "VMs of this configuration are not saved", SAVE_HINT);
    vmm.requireFiles();
    return vmm.fingerprint(accelerator ?? (await vmm.accelerator()));
  }

  async boot(request: BootRequest): Promise<Vm> {
    const { vmm, cache } = this.#options;
    this.#check();
    // A VM that waits has its usual size.
    const { vcpus, memoryMiB } = growthAtBoot(vmm.capabilities, request.growth);
    const isUsual = vcpus + memoryMiB === 0 && request.restore === undefined && request.detachable !== true;
    const cached = isUsual ? await cache?.take(request) : undefined;
    if (cached === undefined) return this.#make(request, false);
    request.onStep?.("VM taken from the cache");
    return cached;
  }

  /** A new VM that waits, once it is committed, for a sandbox to take it. */
  async prepare(request: BootRequest): Promise<VmHandle> {
    this.#check();
    return this.#make(request, true);
  }

  /** Whether VMs of this configuration can be made at all. @throws KataError KATA_UNSUPPORTED, KATA_CONFIG */
  #check(): void {
    const { vmm, factory } = this.#options;
    requireSettings(vmm);
    if (factory !== undefined) requireCapability(vmm, "saveRestore", "VMs cannot be cloned from a template");
    vmm.requireFiles();
  }

  /** The code that makes a VM is loaded when a VM is made: most calls are about existing VMs. */
  async #make(request: BootRequest, cached: boolean): Promise<VmHandle> {
    const { makeVm } = await import("./make-vm.ts");
    const vm = await makeVm(this.#options, request, cached);
    if (this.#options.proxyPath === undefined && request.detachable !== true) this.#keepOwn(vm);
    return vm;
  }

  found(): Promise<FoundVm[]> {
    return findVms(this.#options.vmm.settings.vmRoot);
  }

  reopen(state: VmState): Vm {
    return this.#own.get(state.dir) ?? new VmHandle(state, this.#options.vmm);
  }

  async take(state: VmState): Promise<Vm> {
    const { takeDetached } = await import("./take-detached.ts");
    return takeDetached(state, this.#options.vmm);
  }

  /** Its supervisor ends it in order: another handle would signal its processes. */
  #keepOwn(vm: VmHandle): void {
    const { dir } = vm.state;
    this.#own.set(dir, vm);
    void vm.ended.then(() => this.#own.delete(dir));
  }
}
