/** How a machine differs from the usual one. Every field may be left out. */
export interface MachineTuning {
  /** A versioned type of QEMU's, such as `pc-q35-7.2`, or `microvm`; the newest q35 by default. */
  readonly type?: string;
  /** Properties of the machine, such as `hpet: "off"`. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Appended to the processor's model: `pmu=off`, `+x2apic`. */
  readonly cpuFeatures?: readonly string[];
  /** An Intel IOMMU for the guest's own use, between its devices and its memory. */
  readonly iommu?: boolean;
  /** The host's file that the guest's random numbers come from; /dev/urandom by default. */
  readonly entropySource?: string;
}

/** Where the guest's memory comes from. Memory that is plugged in later is of the same kind. */
export interface MemoryTuning {
  /** Of the host's huge pages of the default size; QEMU does not start where too few are free. */
  readonly hugePages?: boolean;
  /** All of it is taken at the start instead of when the guest first writes to it. */
  readonly preallocated?: boolean;
  /** Files without a name in this directory hold it. */
  readonly directory?: string;
  /** What is added later is one device of virtio-mem, which also takes away; modules, which stay, by default. */
  readonly resizable?: boolean;
  /** How many times memory can be plugged in. */
  readonly slots?: number;
}

/** How disks are attached. */
export interface DiskTuning {
  /** `direct` passes the host's page cache by, `noFlush` ignores the guest's wish for durability. */
  readonly cache?: { readonly direct: boolean; readonly noFlush: boolean };
  /** All are units of one adapter, so that none takes a port; each is a device of its own (virtio-blk) by default. */
  readonly scsi?: boolean;
  /** Requests are served by a thread of their own instead of QEMU's main loop. */
  readonly ioThread?: boolean;
}
