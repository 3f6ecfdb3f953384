import { isMicrovm } from "@kata-ts/qemu-driver";
import type { VmCapabilities } from "../ports/capabilities.ts";
import type { QemuConfig } from "./qemu-config.ts";

type Kind = Pick<QemuConfig, "machine" | "memory" | "sharedFs" | "savable">;

/** What QEMU's machines of a configuration can do. A microvm takes devices at ports of PCI Express, and nothing else. */
export function capabilitiesOf(config: Kind): VmCapabilities {
  const isPc = !isMicrovm(config);
  const grows = canGrow(config);
  return {
    fileSystemHotplug: true,
    nicHotplug: true,
    diskHotplug: true,
    deviceAssignment: isPc,
    cpuHotplug: grows,
    memoryHotplug: grows,
    memoryShrink: grows && config.memory?.resizable === true,
    saveRestore: isPc,
    saveRunning: isSavable(config),
    vsock: true,
    share9p: true,
  };
}

/** Memory and processors of a machine that can be saved are there from its boot: so they are when it is restored. */
export function canGrow(config: Kind): boolean {
  return !isMicrovm(config) && !isSavable(config);
}

/** What 9p has open QEMU does not save; what a daemon of virtio-fs holds, newer ones do, of a machine that was made for it. */
export function isSavable(config: Kind): boolean {
  const { sharedFs, savable = false } = config;
  return !isMicrovm(config) && (sharedFs === "none" || (sharedFs === "virtio-fs" && savable));
}
