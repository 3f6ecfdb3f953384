import type { DiskTuning, MachineTuning, MemoryTuning } from "./vm-tuning.ts";

/** How instructions of the guest are executed. */
export type Accelerator = "kvm" | "tcg";

/** A virtio-serial port of the guest, connected with a unix socket that QEMU listens on. */
export interface SerialPort {
  /** What the guest finds it by. */
  readonly name: string;
  /** A path of at most 107 bytes. */
  readonly socket: string;
}

/**
 * A vsock device: programs on the host connect to ports that programs in the guest listen at. `vhost` is served by the host's
 * kernel, by an open /dev/vhost-vsock; `vhost-user` by a program, by a socket that is connected with it. QEMU inherits either.
 */
export type VsockDevice =
  | { readonly kind: "vhost"; readonly cid: number; readonly fd: number }
  | { readonly kind: "vhost-user"; readonly fd: number };

/** A virtual machine as plain, serialisable values. Nothing of a container is in it: that is plugged in later. */
export interface VmConfig {
  /** Shows in the host's process list. */
  readonly name: string;
  /** Absolute path of qemu-system-x86_64. */
  readonly qemuPath: string;
  readonly accelerator: Accelerator;
  readonly vcpus: number;
  /** How many processors it may have after growVcpus; no more than at boot by default. */
  readonly maxVcpus?: number;
  /** MiB; the guest's memory is shared, file-backed and touched lazily. */
  readonly memoryMiB: number;
  /** A file, under the path that QEMU has it, to hold the guest's memory instead of one of its own: see saveMachine. */
  readonly memoryFile?: string;
  /**
   * A file that the guest's memory begins as, of its size, which does not change while the machine is there: what the guest writes is the
   * machine's own. Needs QEMU 8.2.
   */
  readonly memoryImage?: string;
  /**
   * Its kernel learns from a number that it was restored, and draws new random numbers at once: each QEMU has another one. Needs tables of ACPI, and a
   * firmware that says where they are: QEMU's own does, qboot stops.
   */
  readonly generation?: boolean;
  /** It can be saved while it runs: see saveRunningMachine. */
  readonly savable?: boolean;
  /** Do not boot: the machine is what restoreMachine makes of it. */
  readonly incoming?: boolean;
  /** How much memory it may have after growMemory, MiB; no more than at boot by default. */
  readonly maxMemoryMiB?: number;
  /** An uncompressed PVH kernel, or a bzImage. */
  readonly kernelPath: string;
  readonly initrdPath?: string;
  /** The machine's firmware; QEMU's own by default. */
  readonly firmwarePath?: string;
  /** Read-only ext4 root file system: /dev/vda in the guest, or /dev/pmem0. */
  readonly imagePath: string;
  /**
   * The image's size in bytes, a multiple of 128 MiB, to give it to the guest as memory (virtio-pmem): the guest then runs
   * its programs out of the host's page cache, which all guests share, and copies none of it. Its kernel needs virtio-pmem
   * and DAX. Absent: a disk.
   */
  readonly imagePmemBytes?: number;
  /** Appended to our own kernel parameters, and so wins over them. */
  readonly kernelParams: readonly string[];
  /** A unix socket that QEMU listens on; at most 107 bytes. */
  readonly qmpSocket: string;
  readonly serialPort?: SerialPort;
  readonly vsock?: VsockDevice;
  /** Descriptors of these sockets that QEMU inherits, listening already: it makes none of its own then. */
  readonly listening?: { readonly qmp: number; readonly serialPort?: number };
  /** Hot-pluggable PCIe ports, `rp0` and up. */
  readonly rootPorts: number;
  /** A directory shared over 9p. virtio-fs is hot-plugged instead: see plugVirtioFs. */
  readonly share9p?: { readonly path: string; readonly tag: string };
  readonly machine?: MachineTuning;
  readonly memory?: MemoryTuning;
  readonly disks?: DiskTuning;
}
