import type { Vmm } from "../ports/vmm.ts";
import { requireCapability } from "./require-capability.ts";

/** Checks that a monitor can run VMs as they are configured, before anything is made. @throws KataError KATA_UNSUPPORTED */
export function requireSettings(vmm: Vmm): void {
  const { sharedTree, vsock } = vmm.settings;
  if (vsock !== undefined) requireCapability(vmm, "vsock", "the agent cannot be reached over vsock");
  if (sharedTree.kind === "9p") requireCapability(vmm, "share9p", "the guest cannot get the container's files");
  if (sharedTree.kind === "virtio-fs")
    requireCapability(vmm, "fileSystemHotplug", "the guest cannot get the container's files over virtio-fs");
}
