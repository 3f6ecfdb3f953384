import { virtiofsdVersion } from "@kata-ts/qemu-driver";
import type { VmCache } from "../cache/vm-cache.ts";
import { KataError, reasonOf } from "../errors.ts";
import type { BootRequest, FoundVm, Hypervisor, Vm, VmOverhead, VmState } from "../ports/hypervisor.ts";
import { machineOf } from "../template/build-template.ts";
import { type Cloning, type Factory, takeOver } from "../template/clone.ts";
import { UndoStack } from "../undo.ts";
import { findVms } from "./find-vms.ts";
import { acceleratorFor, type QemuConfig } from "./qemu-config.ts";
import { QemuVm } from "./qemu-vm.ts";
import { requireFiles } from "./required-files.ts";
import { createVmDirectory, removeVmDirectory, type VmDirectory } from "./vm-directory.ts";
import { readProcesses } from "./vm-owner.ts";
import { vmConfig, vmSpec } from "./vm-spec.ts";
import { startWatchman } from "./watchman-start.ts";

/** Memory of QEMU itself (under TCG with the code that it translates), virtiofsd, kata-proxy and shims, with room. */
const HELPERS_MIB = 512;
/** What they may keep busy while the guest does I/O. */
const HELPERS_CPUS = 1;

export interface QemuHypervisorOptions {
  readonly config: QemuConfig;
  /** kata-proxy; without it the watchman lives in this process, and the VMs end with it. */
  readonly proxyPath?: string;
  /** VMs are cloned from its templates where it has one for them. */
  readonly factory?: Factory;
  /** VMs are taken from it where one waits. */
  readonly cache?: VmCache;
}

interface Making {
  readonly accelerator: "kvm" | "tcg";
  readonly cloning?: Cloning;
  /** VmSpec.cached. */
  readonly cached: boolean;
}

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

  async #make(request: BootRequest, cached: boolean): Promise<QemuVm> {
    const making = { accelerator: await acceleratorFor(this.#options.config), cached };
    return (await this.#clone(request, making)) ?? this.#start(request, making);
  }

  /** Undefined where there is no template, or one that is of no use: then the VM is booted. */
  async #clone(request: BootRequest, making: Making): Promise<QemuVm | undefined> {
    const { config, factory } = this.#options;
    if (factory === undefined) return undefined;
    const { templates, warn } = factory;
    try {
      const template = await templates.find(machineOf(config, making.accelerator));
      if (template === undefined) {
        warn("there is no template of this kernel, image, QEMU and options: the VM is booted (see factory init)");
        return undefined;
      }
      const vm = await this.#start(request, { ...making, cloning: { ...factory, template } });
      await templates.noteUse(template);
      return vm;
    } catch (error) {
      request.signal?.throwIfAborted();
      warn(`the VM is booted, for it could not be cloned from its template: ${reasonOf(error)}`);
      return undefined;
    }
  }

  async #start(request: BootRequest, { accelerator, cloning, cached }: Making): Promise<QemuVm> {
    const { config, proxyPath } = this.#options;
    await using undo = new UndoStack();
    const virtiofsd = config.sharedFs === "virtio-fs" ? (await virtiofsdVersion(config.virtiofsdPath)).kind : undefined;
    const directory = await createVmDirectory(config.vmRoot, request);
    undo.push(() => removeVmDirectory(directory.path));
    const machine = vmConfig(config, accelerator, directory, `sandbox-${request.sandboxId}`);
    const image = cloning === undefined ? {} : { memoryImage: cloning.template.memory };
    const watchman = await startWatchman(
      { ...vmSpec(machine, config, directory, request, virtiofsd), ...image, cached },
      proxyPath,
      request,
    );
    undo.push(() => watchman.stop());
    request.onStep?.("qemu started");
    const vm = new QemuVm(await vmState(directory, accelerator), config, watchman);
    if (cloning !== undefined) await takeOver(vm, cloning, request);
    undo.keep();
    return vm;
  }

  found(): Promise<FoundVm[]> {
    return findVms(this.#options.config.vmRoot);
  }

  reopen(state: VmState): Vm {
    return new QemuVm(state, this.#options.config, undefined);
  }
}

/** The watchman knows who its processes are, even where one has ended already. */
async function vmState(directory: VmDirectory, accelerator: string): Promise<VmState> {
  const noted = await readProcesses(directory.path);
  if (noted?.qemu === undefined) {
    throw new KataError("KATA_PROXY", `the VM's watchman has not noted its processes in ${directory.path}`);
  }
  const { processes, qemu } = noted;
  return { dir: directory.path, agentUrl: `unix://${directory.proxySocket}`, processes, qemu, accelerator };
}
