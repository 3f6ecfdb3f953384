import { isMicrovm } from "@kata-ts/qemu-driver";
import type { VmCapabilities } from "../ports/capabilities.ts";
import type { QemuConfig } from "./qemu-config.ts";

/** What QEMU's machines of a configuration can do. A microvm takes devices at ports of PCI Express, and nothing else. */
export function capabilitiesOf(config: Pick<QemuConfig, "machine" | "memory">): VmCapabilities {
  const isPc = !isMicrovm(config);
  return {
    fileSystemHotplug: true,
    nicHotplug: true,
    diskHotplug: true,
    deviceAssignment: isPc,
    cpuHotplug: isPc,
    memoryHotplug: isPc,
    memoryShrink: isPc && config.memory?.resizable === true,
    saveRestore: isPc,
    vsock: true,
    share9p: true,
  };
}
