import type { Hypervisor } from "../ports/hypervisor.ts";
import { requireCapability } from "../vm/require-capability.ts";
import type { ContainerConfig } from "./config.ts";

/** Checks that a VM can be given what a container names, before anything is made for it. @throws KataError KATA_UNSUPPORTED */
export function checkCapabilities(
  { spec, useBlockDevices }: ContainerConfig,
  hypervisor: Pick<Hypervisor, "capabilities">,
): void {
  if (useBlockDevices !== true) return;
  const disk = spec.linux?.devices?.find(({ type }) => type === "b");
  if (disk !== undefined) requireCapability(hypervisor, "diskHotplug", `the guest cannot get ${disk.path}`);
}
