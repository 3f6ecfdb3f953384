import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { DEFAULT_CONFINEMENT, defaultQemuConfig, type QemuConfig } from "@kata-ts/virtcontainers";
import type { Installation } from "./installation.ts";
import { listed } from "./listed.ts";
import type { HypervisorOptions } from "./options.ts";
import { userRangeOf } from "./user-range.ts";
import { vsockOf } from "./vsock.ts";

/** What a machine of QEMU's can have. */
const MOST_VCPUS = 240;
/** Kata 1.x means ports for VFIO devices alone: what the runtime itself plugs in goes to a bridge there. */
const FEWEST_PORTS = 2;
/** What a VM has unless it is to have fewer: virtiofsd maps no more regions of memory than a few more. */
const MOST_SLOTS = 24;
const USUAL_ENTROPY = "/dev/urandom";

/** How VMs are made, as `[hypervisor.qemu]` has it. */
export function qemuConfigOf(qemu: HypervisorOptions, debug: AgentDebug, installation: Installation): QemuConfig {
  return {
    ...defaultQemuConfig,
    ...guestAssets(qemu, installation),
    ...defined({
      qemuPath: text(qemu.path),
      firmwarePath: text(qemu.firmware),
      imageOnDisk: qemu.disable_image_nvdimm,
      accelerator: qemu.accel,
      kernelParams: kernelParamsOf(qemu, debug),
      vcpus: qemu.default_vcpus === undefined ? undefined : vcpusOf(qemu.default_vcpus),
      maxVcpus: maxVcpusOf(qemu.default_maxvcpus ?? 0),
      memoryMiB: number(qemu.default_memory),
      sharedFs: qemu.shared_fs === "" ? undefined : qemu.shared_fs,
      savable: qemu.enable_checkpoint === true ? true : undefined,
      virtiofsdPath: text(qemu.virtio_fs_daemon) ?? installedFileDaemon(installation),
      virtioFsCache: qemu.virtio_fs_cache === "" ? undefined : qemu.virtio_fs_cache,
      virtiofsdArguments: some(qemu.virtio_fs_extra_args),
      msize9p: number(qemu.msize_9p),
      rootPorts: (qemu.pcie_root_port ?? 0) < FEWEST_PORTS ? undefined : qemu.pcie_root_port,
      vsock: vsockOf(qemu),
      machine: someField(machineOf(qemu)),
      memory: someField(memoryOf(qemu)),
      disks: someField(disksOf(qemu)),
      confinement: confinementOf(qemu),
    }),
  };
}

/** Whether the agent logs each call: a parameter of the guest's kernel says so. */
interface AgentDebug {
  readonly agent: boolean;
}

/** Kata's rule: a negative number, or more than there are, is all of the host's. */
function vcpusOf(asked: number): number {
  const host = Math.min(availableParallelism(), MOST_VCPUS);
  if (asked === 0) return 1;
  return asked < 0 || asked > host ? host : asked;
}

/** Undefined: what virtcontainers takes by itself. */
function maxVcpusOf(asked: number): number | undefined {
  return asked === 0 ? undefined : Math.min(asked, availableParallelism(), MOST_VCPUS);
}

/** An administrator's own parameters come last, and win. */
function kernelParamsOf(qemu: HypervisorOptions, { agent }: AgentDebug): readonly string[] | undefined {
  const own = qemu.kernel_params?.split(/\s+/).filter(Boolean) ?? [];
  const verbose = qemu.enable_debug === true ? ["debug", "loglevel=7"] : [];
  return some([...verbose, ...(agent ? ["agent.log=debug"] : []), ...own]);
}

function machineOf(qemu: HypervisorOptions): NonNullable<QemuConfig["machine"]> {
  const properties = listed(qemu.machine_accelerators ?? "").map(machineProperty);
  return defined({
    type: isUsual(qemu.machine_type) ? undefined : qemu.machine_type,
    properties: properties.length === 0 ? undefined : Object.fromEntries(properties),
    cpuFeatures: some(listed(qemu.cpu_features ?? "")),
    iommu: qemu.enable_iommu === true ? true : undefined,
    entropySource: qemu.entropy_source === USUAL_ENTROPY ? undefined : text(qemu.entropy_source),
  });
}

/** The newest q35 machine; Kata 1.x's `pc` is taken as it. */
function isUsual(type: string | undefined): boolean {
  return ["", "pc", "q35"].includes(type ?? "");
}

/** QEMU took `smm` and `nosmm` once. */
function machineProperty(item: string): readonly [string, string] {
  const [name = "", value] = item.split("=");
  if (value !== undefined) return [name, value];
  return name.startsWith("no") ? [name.slice(2), "off"] : [name, "on"];
}

function memoryOf(qemu: HypervisorOptions): NonNullable<QemuConfig["memory"]> {
  return defined({
    hugePages: qemu.enable_hugepages === true ? true : undefined,
    preallocated: qemu.enable_mem_prealloc === true ? true : undefined,
    resizable: qemu.enable_virtio_mem === true ? true : undefined,
    directory: text(qemu.file_mem_backend),
    slots: (number(qemu.memory_slots) ?? MOST_SLOTS) < MOST_SLOTS ? qemu.memory_slots : undefined,
  });
}

function confinementOf({
  confine_qemu: confine = true,
  vm_users: users = "",
}: HypervisorOptions): QemuConfig["confinement"] {
  if (!confine) return false;
  return { ...DEFAULT_CONFINEMENT, users: userRangeOf(users) ?? DEFAULT_CONFINEMENT.users };
}

function disksOf(qemu: HypervisorOptions): NonNullable<QemuConfig["disks"]> {
  const cache = {
    direct: qemu.block_device_cache_direct === true,
    noFlush: qemu.block_device_cache_noflush === true,
  };
  return defined({
    scsi: qemu.block_device_driver === "virtio-scsi" ? true : undefined,
    cache: qemu.block_device_cache_set === true ? cache : undefined,
    ioThread: qemu.enable_iothreads === true ? true : undefined,
  });
}

/** An installation from elsewhere may be without one: then the host's. */
function installedFileDaemon({ fileDaemon }: Installation): string | undefined {
  return existsSync(fileDaemon) ? fileDaemon : undefined;
}

/** An initrd belongs to its kernel: the installed one is used with the installed kernel only. */
function guestAssets(
  qemu: HypervisorOptions,
  { share }: Installation,
): Pick<QemuConfig, "kernelPath" | "imagePath" | "initrdPath"> {
  const kernel = text(qemu.kernel);
  const kernelPath = kernel ?? join(share, "vmlinux");
  const beside = join(dirname(kernelPath), "initrd");
  const initrdPath = text(qemu.initrd) ?? (kernel === undefined && existsSync(beside) ? beside : undefined);
  return { kernelPath, imagePath: text(qemu.image) ?? join(share, "rootfs.ext4"), ...defined({ initrdPath }) };
}

/** Kata's "" and 0 are as if the option was not there. */
function text(value: string | undefined): string | undefined {
  return value === "" ? undefined : value;
}

function number(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}

function some<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}

function someField<T extends object>(fields: T): T | undefined {
  return Object.keys(fields).length === 0 ? undefined : fields;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
