/**
 * What the machines of a monitor can do beside running a guest. The code asks before it acts: what a monitor lacks is refused
 * by name, or given to the machine before it boots.
 */
export interface VmCapabilities {
  /** A machine that runs takes a file system that a daemon serves. */
  readonly fileSystemHotplug: boolean;
  /** A machine that runs takes network cards, and gives them back. */
  readonly nicHotplug: boolean;
  /** A machine that runs takes block devices, and gives them back. */
  readonly diskHotplug: boolean;
  /** A machine that runs takes whole devices of the host's. */
  readonly deviceAssignment: boolean;
  /** A machine that runs takes more processors, as far as it was made with room for them. */
  readonly cpuHotplug: boolean;
  /** A machine that runs takes more memory. */
  readonly memoryHotplug: boolean;
  /** Memory that a machine has taken can be asked back. */
  readonly memoryShrink: boolean;
  /** A machine can be saved, and another one restored from what was saved. */
  readonly saveRestore: boolean;
  /** A machine that runs containers can be saved, and goes on. */
  readonly saveRunning: boolean;
  /** A machine can have a vsock device. */
  readonly vsock: boolean;
  /** The monitor serves files over 9p itself. */
  readonly share9p: boolean;
}

export type VmCapability = keyof VmCapabilities;
