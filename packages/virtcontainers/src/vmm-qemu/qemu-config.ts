import { availableParallelism } from "node:os";
import { findVirtiofsd, type VsockSpec } from "@kata-ts/proxy";
import {
  type Accelerator,
  type AcceleratorProbe,
  type Confinement,
  chooseAccelerator,
  type DiskTuning,
  findQemu,
  type MachineTuning,
  type MemoryTuning,
} from "@kata-ts/qemu-driver";

/** How VMs are made. configuration.toml's `[hypervisor.qemu]` maps to it one to one. */
export interface QemuConfig {
  readonly qemuPath: string;
  readonly kernelPath: string;
  readonly initrdPath?: string;
  readonly imagePath: string;
  /** The image is a disk for the guest, also where it could be memory that all guests share: Kata's disable_image_nvdimm. */
  readonly imageOnDisk: boolean;
  /** The machine's firmware; by default see firmwareOf. */
  readonly firmwarePath?: string;
  readonly virtiofsdPath: string;
  /** `auto` uses KVM only where a guest really boots under it. */
  readonly accelerator: Accelerator | "auto";
  readonly vcpus: number;
  readonly memoryMiB: number;
  readonly kernelParams: readonly string[];
  /** `none`: the guest sees no directory of the host's, and its machine can be saved while it runs. */
  readonly sharedFs: "virtio-fs" | "virtio-9p" | "none";
  /** With virtio-fs, too, the machine can be saved while it runs: what requireFileMigration says is needed for it. */
  readonly savable?: boolean;
  readonly virtioFsCache: "none" | "auto" | "always";
  /** Appended to virtiofsd's own arguments. */
  readonly virtiofsdArguments?: readonly string[];
  /** Bytes per 9p message. */
  readonly msize9p: number;
  /** How many vCPUs it may come to have; by default see maxVcpusOf. */
  readonly maxVcpus?: number;
  /** Hot-pluggable ports: one for the shared tree, the others for network cards and disks. At most 16. */
  readonly rootPorts: number;
  /** The guest's agent is reached over vsock instead of a serial port; what backs the device. */
  readonly vsock?: VsockSpec;
  readonly machine?: MachineTuning;
  readonly memory?: MemoryTuning;
  readonly disks?: DiskTuning;
  /** A program, run with these arguments and a sandbox's id whenever the sandbox's network namespace has changed. */
  readonly onNetworkChange?: readonly string[];
  /** The users that QEMUs get, each with a root directory of its own; `false`: QEMU is root, among the host's files. */
  readonly confinement: Confinement | false;
  /** Below which each VM gets a directory. */
  readonly vmRoot: string;
  /** Where the answer of the accelerator probe is kept. */
  readonly acceleratorCache: string;
}

/** What the guest's kernel is built for. */
const GUEST_MAX_VCPUS = 240;

/** systemd's list of what user ids are for has no use for these, and engines take lower ones for user namespaces. */
export const DEFAULT_CONFINEMENT: Confinement = {
  users: { first: 1_900_000_000, last: 1_900_065_535 },
  locks: "/run/kata-ts/users",
};

export const defaultQemuConfig: Omit<QemuConfig, "kernelPath" | "imagePath"> = {
  // Looked for when a configuration is put together: most commands need neither.
  get qemuPath() {
    return findQemu();
  },
  get virtiofsdPath() {
    return findVirtiofsd();
  },
  accelerator: "auto",
  vcpus: 1,
  memoryMiB: 2048,
  kernelParams: [],
  sharedFs: "virtio-fs",
  virtioFsCache: "auto",
  msize9p: 512_000,
  imageOnDisk: false,
  rootPorts: 5, // each takes a guest a twentieth of a second to find at boot
  confinement: DEFAULT_CONFINEMENT,
  vmRoot: "/run/kata-ts/vm",
  acceleratorCache: "/var/cache/kata-ts/accelerator.json",
};

export async function acceleratorFor(config: QemuConfig): Promise<Accelerator> {
  if (config.accelerator !== "auto") return config.accelerator;
  return (await chooseAccelerator(acceleratorProbe(config))).accelerator;
}

export function acceleratorProbe({ qemuPath, kernelPath, acceleratorCache }: QemuConfig): AcceleratorProbe {
  return { qemuPath, kernelPath, cacheFile: acceleratorCache };
}

/**
 * How many vCPUs a VM may come to have: with KVM as many as the host has. Under TCG no more than at boot, unless asked
 * for: each processor that sleeps makes the boot longer.
 */
export function maxVcpusOf({ vcpus, maxVcpus }: QemuConfig, accelerator: string): number {
  const usual = accelerator === "tcg" ? vcpus : Math.min(availableParallelism(), GUEST_MAX_VCPUS);
  return Math.max(vcpus, maxVcpus ?? usual);
}
