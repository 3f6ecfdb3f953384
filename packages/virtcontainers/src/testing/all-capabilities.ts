import type { VmCapabilities } from "../ports/capabilities.ts";

/** A monitor that can everything. */
export const ALL_CAPABILITIES: VmCapabilities = {
  fileSystemHotplug: true,
  nicHotplug: true,
  diskHotplug: true,
  deviceAssignment: true,
  cpuHotplug: true,
  memoryHotplug: true,
  memoryShrink: true,
  saveRestore: true,
  saveRunning: true,
  vsock: true,
  share9p: true,
};
