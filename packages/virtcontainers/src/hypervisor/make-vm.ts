import { virtiofsdVersion } from "@kata-ts/qemu-driver";
import { KataError, reasonOf } from "../errors.ts";
import type { BootRequest, VmState } from "../ports/hypervisor.ts";
import { type Cloning, takeOver } from "../template/clone.ts";
import { machineOf } from "../template/machine-of.ts";
import { UndoStack } from "../undo.ts";
import { acceleratorFor } from "./qemu-config.ts";
import type { QemuHypervisorOptions } from "./qemu-hypervisor-options.ts";
import { QemuVm } from "./qemu-vm.ts";
import { createVmDirectory, removeVmDirectory, type VmDirectory } from "./vm-directory.ts";
import { readProcesses } from "./vm-owner.ts";
import { vmConfig, vmSpec } from "./vm-spec.ts";
import { startWatchman } from "./watchman-start.ts";

interface Making {
  readonly accelerator: "kvm" | "tcg";
  readonly cloning?: Cloning;
  /** VmSpec.cached. */
  readonly cached: boolean;
}

/** A new VM: cloned where there is a template for it, booted where not. @param cached VmSpec.cached */
export async function makeVm(options: QemuHypervisorOptions, request: BootRequest, cached: boolean): Promise<QemuVm> {
  const making = { accelerator: await acceleratorFor(options.config), cached };
  return (await clone(options, request, making)) ?? start(options, request, making);
}

/** Undefined where there is no template, or it is of no use: then the VM is booted. */
async function clone(
  options: QemuHypervisorOptions,
  request: BootRequest,
  making: Making,
): Promise<QemuVm | undefined> {
  const { config, factory } = options;
  if (factory === undefined) return undefined;
  const { templates, warn } = factory;
  try {
    const template = await templates.find(machineOf(config, making.accelerator));
    if (template === undefined) {
      warn("there is no template of this kernel, image, QEMU and options: the VM is booted (see factory init)");
      return undefined;
    }
    const vm = await start(options, request, { ...making, cloning: { ...factory, template } });
    await templates.noteUse(template);
    return vm;
  } catch (error) {
    request.signal?.throwIfAborted();
    warn(`the VM is booted, for it could not be cloned from its template: ${reasonOf(error)}`);
    return undefined;
  }
}

async function start(
  { config, proxyPath }: QemuHypervisorOptions,
  request: BootRequest,
  { accelerator, cloning, cached }: Making,
): Promise<QemuVm> {
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

/** The watchman knows who its processes are, even where one has ended already. */
async function vmState(directory: VmDirectory, accelerator: string): Promise<VmState> {
  const noted = await readProcesses(directory.path);
  if (noted?.qemu === undefined) {
    throw new KataError("KATA_PROXY", `the VM's watchman has not noted its processes in ${directory.path}`);
  }
  const { processes, qemu } = noted;
  return { dir: directory.path, agentUrl: `unix://${directory.proxySocket}`, processes, qemu, accelerator };
}
