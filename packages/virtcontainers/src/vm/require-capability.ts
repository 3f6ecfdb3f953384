import { KataError } from "../errors.ts";
import type { VmCapabilities, VmCapability } from "../ports/capabilities.ts";

/** As errors name them. */
const NAMES: Readonly<Record<VmCapability, string>> = {
  fileSystemHotplug: "a file system that is plugged in after the boot",
  nicHotplug: "network cards that are plugged in after the boot",
  diskHotplug: "block devices that are plugged in after the boot",
  deviceAssignment: "devices of the host's",
  cpuHotplug: "processors that are added after the boot",
  memoryHotplug: "memory that is added after the boot",
  memoryShrink: "memory that can be taken away",
  saveRestore: "guests that are saved and restored",
  saveRunning: "guests that are saved while they run",
  vsock: "a vsock device",
  share9p: "files over 9p",
};

/** What makes a VM one that can be saved. */
export const SAVE_HINT =
  'put its root file systems on block devices, and create the sandbox with "none" as vm.sharedFs, or with virtio-fs and vm.savable';

/** What a VM is, or what runs VMs: both say what they can. */
export interface Capable {
  readonly capabilities: VmCapabilities;
}

/**
 * To be called before anything is made that needs the capability.
 *
 * @param subject what cannot be had without it, as the subject of a sentence
 * @throws KataError KATA_UNSUPPORTED
 */
export function requireCapability({ capabilities }: Capable, name: VmCapability, subject: string, hint?: string): void {
  if (capabilities[name]) return;
  throw new KataError("KATA_UNSUPPORTED", `${subject}: this kind of machine has no ${NAMES[name]}`, {
    hint: hint ?? "choose another vm.machine.type",
  });
}
