import type { VmSpec } from "@kata-ts/proxy";
import { reasonOf } from "../errors.ts";
import type { BootRequest } from "../ports/hypervisor.ts";
import type { RestoreSource } from "../ports/saved-vm.ts";
import { type Cloning, restoreClone } from "../template/clone.ts";
import { UndoStack } from "../undo.ts";
import { growthAtBoot, recordBootGrowth } from "./boot-growth.ts";
import { startedState } from "./recorded-state.ts";
import { restoreVm } from "./restore-vm.ts";
import { startSupervisor } from "./supervisor-start.ts";
import { createVmDirectory, removeVmDirectory } from "./vm-directory.ts";
import { VmHandle } from "./vm-handle.ts";
import { vmSpec } from "./vm-spec.ts";
import type { VmmHypervisorOptions } from "./vmm-hypervisor-options.ts";

interface Making {
  readonly accelerator: string;
  readonly cloning?: Cloning;
  /** VmSpec.cached. */
  readonly cached: boolean;
}

/** A new VM: cloned where there is a template for it, booted where not. @param cached VmSpec.cached */
export async function makeVm(options: VmmHypervisorOptions, request: BootRequest, cached: boolean): Promise<VmHandle> {
  await options.vmm.requirePrograms();
  const making = { accelerator: await options.vmm.accelerator(), cached };
  if (request.restore !== undefined) return start(options, request, making);
  return (await clone(options, request, making)) ?? start(options, request, making);
}

/** Undefined where there is no template, or it is of no use: then the VM is booted. */
async function clone(
  options: VmmHypervisorOptions,
  request: BootRequest,
  making: Making,
): Promise<VmHandle | undefined> {
  const { vmm, factory } = options;
  if (factory === undefined) return undefined;
  const { templates, warn } = factory;
  try {
    const template = await templates.find(vmm.identify(making.accelerator));
    if (template === undefined) {
      warn("there is no template of this kernel, image, monitor and options: the VM is booted (see factory init)");
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
  options: VmmHypervisorOptions,
  request: BootRequest,
  { accelerator, cloning, cached }: Making,
): Promise<VmHandle> {
  const { vmm } = options;
  await using undo = new UndoStack();
  const directory = await createVmDirectory(vmm.settings.vmRoot, { ...request, cached });
  undo.push(() => removeVmDirectory(directory.path));
  const { restore, detachable = false } = request;
  const growth = restore?.growth ?? growthAtBoot(vmm.capabilities, request.growth);
  await recordBootGrowth(directory.path, growth);
  const machine = vmm.describe({ name: `sandbox-${request.sandboxId}`, directory, growth }, accelerator);
  const spec = await vmSpec(machine, vmm.settings, directory, request);
  const supervisor = await startSupervisor(
    { ...spec, ...imageOf(cloning, restore), cached, detachable },
    options,
    request,
  );
  undo.push(() => supervisor.stop());
  request.onStep?.("machine started");
  const state = await startedState(directory.path, accelerator);
  if (cloning !== undefined) await restoreClone(await vmm.machine(state), state.agentUrl, cloning, request);
  const vm = new VmHandle(state, vmm, { supervisor, answered: cloning !== undefined || restore !== undefined });
  if (restore !== undefined) await restoreVm(vm, await vmm.machine(state), restore, request);
  undo.keep();
  return vm;
}

function imageOf(cloning: Cloning | undefined, restore: RestoreSource | undefined): Partial<VmSpec> {
  if (restore !== undefined) {
    const { guest, memoryStays = false } = restore;
    return { memoryImage: guest.memory, memoryImageStays: memoryStays, channelWaits: true };
  }
  return cloning === undefined ? {} : { memoryImage: cloning.template.memory };
}
