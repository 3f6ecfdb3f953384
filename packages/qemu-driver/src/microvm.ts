import type { VmConfig } from "./vm-config.ts";

/** MachineTuning.type of it. */
export const MICROVM = "microvm";

/**
 * QEMU's machine without what a PC has for old systems' sake: no chipset, no option for memory or processors that come later. It
 * has PCI Express by a generic bridge, whose ports take devices while it runs.
 */
export function isMicrovm({ machine }: Pick<VmConfig, "machine">): boolean {
  return machine?.type === MICROVM;
}

/** PCI Express needs tables of ACPI. Devices are on it alone: QEMU has none to name to the kernel on its command line. */
export const MICROVM_PROPERTIES: Readonly<Record<string, string>> = {
  acpi: "on",
  pcie: "on",
  "auto-kernel-cmdline": "off",
};
