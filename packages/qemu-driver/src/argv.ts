import { DISK_THREAD, SCSI_ADAPTER } from "./block.ts";
import { kernelCommandLine } from "./kernel-params.ts";
import { checkMemorySize, memoryBackendOf } from "./memory-backend.ts";
import { isMicrovm, MICROVM_PROPERTIES } from "./microvm.ts";
import { option } from "./option.ts";
import { resizableMemory } from "./resizable-memory.ts";
import { rootPortName, rootPortSlot } from "./root-port.ts";
import type { VmConfig } from "./vm-config.ts";

/**
 * All that QEMU can emulate, but for what makes a guest slower there: `erms` promises fast copies byte by byte, which are
 * emulated byte by byte (streams were a third slower), and `la57` gives page tables a fifth level to walk (another tenth).
 */
const EMULATED_CPU = "max,-erms,-la57";

const MIB = 1024 ** 2;

/** Memory modules that can be plugged in: each growth takes one, and virtiofsd maps no more than 32 regions. */
const MEMORY_SLOTS = 24;

/**
 * QEMU's arguments, without the program. The machine has what every guest needs and nothing else: no default devices,
 * no firmware output, no way to start programs. The guest's console is QEMU's standard output.
 */
export function qemuArgv(config: VmConfig): string[] {
  return [
    ...["-name", option("", { guest: config.name })],
    ...machine(config),
    ...["-no-user-config", "-nodefaults", "-no-reboot", "-display", "none", "-vga", "none"],
    ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
    ...monitor(config),
    ...boot(config),
    ...(config.incoming === true ? ["-incoming", "defer"] : []),
    ...guestConsole(),
    ...devices(config),
  ];
}

function monitor({ qmpSocket, listening }: VmConfig): string[] {
  return ["-chardev", serverSocket("qmp", qmpSocket, listening?.qmp), "-mon", option("qmp", { mode: "control" })];
}

function serverSocket(id: string, path: string, descriptor: number | undefined): string {
  return option("socket", {
    id,
    ...(descriptor === undefined ? { path } : { fd: descriptor }),
    server: true,
    wait: false,
  });
}

function machine(config: VmConfig): string[] {
  const { accelerator, machine: tuning = {}, memoryMiB } = config;
  const memory = `${String(memoryMiB)}M`;
  const cpu = accelerator === "kvm" ? hostCpu(config) : EMULATED_CPU;
  // An emulated IOMMU remaps interrupts, for which KVM has to leave the I/O APIC to QEMU.
  const irqchip = tuning.iommu === true && accelerator === "kvm" ? { "kernel-irqchip": "split" } : {};
  const kind = isMicrovm(config) ? MICROVM_PROPERTIES : {};
  const properties = { "memory-backend": "mem", ...kind, ...irqchip, ...tuning.properties };
  return [
    ...["-machine", option(tuning.type ?? "q35", properties)],
    ...["-accel", accelerator === "kvm" ? option("kvm") : option("tcg", { "tb-size": 64 })],
    ...["-cpu", [cpu, ...(tuning.cpuFeatures ?? [])].join(",")],
    ...["-smp", processors(config)],
    ...["-m", option(memory, memorySlots(config))],
    ...["-object", memoryBackend(config, memory)],
  ];
}

/**
 * The host's processor with all that KVM can give. A machine that is saved, or restored, goes without what QEMU cannot save:
 * an invariant time stamp counter, with which it refuses to save any.
 */
function hostCpu({ memoryFile, memoryImage, savable = false }: VmConfig): string {
  return memoryFile === undefined && memoryImage === undefined && !savable
    ? option("host", { migratable: false })
    : "host";
}

function memoryBackend(config: VmConfig, size: string): string {
  const { memoryFile, memoryImage, memoryMiB, memory, savable = false, incoming = false } = config;
  checkMemorySize(memoryMiB, memory);
  const backend = memoryBackendOf(memory);
  if (memoryImage !== undefined) {
    // The file is only read; without `rom` the guest's memory would be, too.
    const privately = { share: false, readonly: true, rom: "off", "mem-path": memoryImage };
    return option("memory-backend-file", { id: "mem", size, ...privately });
  }
  if (memoryFile === undefined) return option(backend.type, { id: "mem", size, ...backend.properties });
  // A template's memory takes no more than its guest has used, and a clone's is the copy that it is given, whatever others are made of.
  const prealloc = savable && !incoming && memory?.preallocated === true ? { prealloc: true } : {};
  return option("memory-backend-file", { id: "mem", size, share: true, ...prealloc, "mem-path": memoryFile });
}

/**
 * Under TCG all are there from the start, and the kernel leaves some asleep: see growVcpus. A machine that could never have
 * a second one is emulated without memory barriers, and loses wake-ups to devices and helpers, which run beside it.
 */
function processors({ accelerator, vcpus, maxVcpus = vcpus }: VmConfig): string {
  const max = Math.max(vcpus, maxVcpus);
  if (accelerator === "tcg") return option(String(max), { maxcpus: Math.max(max, 2) });
  return option(String(vcpus), { maxcpus: max });
}

/** QEMU refuses slots that nothing could be plugged into. An image in memory takes room, but no slot; so does a virtio-mem device. */
function memorySlots(config: VmConfig): Record<string, string> {
  const { memoryMiB, maxMemoryMiB = memoryMiB, imagePmemBytes = 0, memory = {} } = config;
  const maxmem = maxMemoryMiB + imagePmemBytes / MIB;
  if (maxmem === memoryMiB) return {};
  const slots = maxMemoryMiB > memoryMiB && memory.resizable !== true ? (memory.slots ?? MEMORY_SLOTS) : 0;
  return { slots: String(slots), maxmem: `${String(maxmem)}M` };
}

function boot(config: VmConfig): string[] {
  const firmware = config.firmwarePath === undefined ? [] : ["-bios", config.firmwarePath];
  const initrd = config.initrdPath === undefined ? [] : ["-initrd", config.initrdPath];
  return [...firmware, "-kernel", config.kernelPath, ...initrd, "-append", kernelCommandLine(config)];
}

function guestConsole(): string[] {
  return ["-chardev", option("stdio", { id: "console", signal: false }), "-serial", "chardev:console"];
}

function devices(config: VmConfig): string[] {
  return [
    ...iommu(config),
    ...(config.generation === true ? ["-device", option("vmgenid", { guid: "auto" })] : []),
    ...["-object", option("rng-random", { id: "rng0", filename: config.machine?.entropySource ?? "/dev/urandom" })],
    ...["-device", option("virtio-rng-pci", { rng: "rng0", romfile: "" })],
    // Memory that the guest frees is the host's again.
    ...["-device", option("virtio-balloon-pci", { id: "balloon0", "free-page-reporting": true, romfile: "" })],
    ...rootImage(config),
    ...resizableMemory(config),
    ...serialPort(config),
    ...vsock(config),
    ...share9p(config),
    ...disks(config),
    ...Array.from({ length: config.rootPorts }, (_, port) => ["-device", rootPort(port)]).flat(),
  ];
}

// It comes before the devices that it translates for.
function iommu({ machine: { iommu: wanted = false } = {} }: VmConfig): string[] {
  if (!wanted) return [];
  return ["-device", option("intel-iommu", { intremap: true, "device-iotlb": true, "caching-mode": true })];
}

// Read-only at the file and at the disk: what the guest thinks of it does not matter.
function rootImage(config: VmConfig): string[] {
  if (config.imagePmemBytes !== undefined) return imageInMemory(config.imagePath, config.imagePmemBytes);
  const file = { "node-name": "image-file", filename: config.imagePath, "read-only": true, locking: "off" };
  return [
    ...["-blockdev", option("", { driver: "file", ...file })],
    ...["-blockdev", option("", { driver: "raw", "node-name": "image", file: "image-file", "read-only": true })],
    ...["-device", option("virtio-blk-pci", { drive: "image", romfile: "" })],
  ];
}

function imageInMemory(path: string, size: number): string[] {
  const backend = { id: "image", "mem-path": path, size, share: true, readonly: true };
  return [
    ...["-object", option("memory-backend-file", backend)],
    ...["-device", option("virtio-pmem-pci", { memdev: "image", id: "pmem0" })],
  ];
}

function serialPort({ serialPort: port, listening }: VmConfig): string[] {
  if (port === undefined) return [];
  const { name, socket } = port;
  return [
    ...["-device", option("virtio-serial-pci", { id: "serial0", romfile: "" })],
    ...["-chardev", serverSocket("port0", socket, listening?.serialPort)],
    ...["-device", option("virtserialport", { chardev: "port0", name })],
  ];
}

function vsock({ vsock: device }: VmConfig): string[] {
  if (device === undefined) return [];
  if (device.kind === "vhost") {
    const backend = { "guest-cid": device.cid, vhostfd: device.fd };
    return ["-device", option("vhost-vsock-pci", { ...backend, romfile: "" })];
  }
  return [
    ...["-chardev", option("socket", { id: "vsock", fd: device.fd })],
    // With its event index, which is on by default: vhost-device-vsock 0.3 loses wake-ups without it (docs/adr/0030-vsock.md).
    ...["-device", option("vhost-user-vsock-pci", { chardev: "vsock", romfile: "" })],
  ];
}

function share9p({ share9p: share }: VmConfig): string[] {
  if (share === undefined) return [];
  const fsdev = { id: "share9p", path: share.path, security_model: "none", multidevs: "remap" };
  return [
    ...["-fsdev", option("local", fsdev)],
    ...["-device", option("virtio-9p-pci", { fsdev: "share9p", mount_tag: share.tag, romfile: "" })],
  ];
}

function disks({ disks: { ioThread = false, scsi = false } = {} }: VmConfig): string[] {
  const thread = ioThread ? { iothread: DISK_THREAD } : {};
  return [
    ...(ioThread ? ["-object", option("iothread", { id: DISK_THREAD })] : []),
    ...(scsi ? ["-device", option("virtio-scsi-pci", { id: SCSI_ADAPTER, romfile: "", ...thread })] : []),
  ];
}

function rootPort(port: number): string {
  const addr = `0x${rootPortSlot(port).toString(16)}`;
  return option("pcie-root-port", { id: rootPortName(port), bus: "pcie.0", addr, chassis: port + 1, slot: port + 1 });
}
