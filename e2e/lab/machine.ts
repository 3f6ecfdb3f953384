import { join } from "node:path";
import { option } from "@kata-ts/qemu-driver";
import type { HostImage } from "./host-image.ts";

/** Through each one script runs at a time. */
export const LAB_PORTS: readonly string[] = ["lab0", "lab1"];

/** Where disks are plugged into a running host. */
export const DISK_PORT = "disks";

/** Memory of a host, MiB: its guests have a part of it. */
const MEMORY_MIB = 4096;

const KERNEL_PARAMETERS = [
  ...["root=/dev/vda", "rw", "rootfstype=ext4", "console=ttyS0", "net.ifnames=0", "quiet", "loglevel=4"],
  ...["mitigations=off", "tsc=reliable", "no_timer_check", "random.trust_cpu=on", "audit=0", "systemd.show_status=0"],
  ...["intel_iommu=on", "iommu=pt"],
  "panic=-1", // and -no-reboot: a host that panics ends, and with it what waits for it
];

export interface MachineOptions {
  readonly image: HostImage;
  /** Where its sockets and its console are. */
  readonly directory: string;
  /** Changes stay on the image's disk; without, they go with the machine. */
  readonly keepChanges?: boolean;
  /** Do not boot: its state comes through the monitor. */
  readonly incoming?: boolean;
}

/**
 * QEMU's arguments for a host that has hosts' devices: AMD's virtualisation, emulated with nested pages; an IOMMU, and a
 * network card that can be passed on; no network of its own.
 */
export function machineArgv({ image, directory, keepChanges = false, incoming = false }: MachineOptions): string[] {
  const disk = { file: image.disk, format: "raw", if: "virtio", cache: "unsafe", discard: "unmap" };
  return [
    ...["-name", "kata-lab", "-machine", "q35,kernel-irqchip=split", "-accel", "tcg,thread=multi,tb-size=512"],
    ...["-cpu", "max,-erms,-la57", "-smp", "2", "-m", `${String(MEMORY_MIB)}M`],
    ...["-no-user-config", "-nodefaults", "-no-reboot", "-display", "none"],
    ...["-serial", `file:${join(directory, "console.log")}`],
    ...["-qmp", option(`unix:${monitorOf(directory)}`, { server: true, wait: false })],
    ...["-kernel", image.kernel, "-initrd", image.initrd, "-append", KERNEL_PARAMETERS.join(" ")],
    ...["-device", option("intel-iommu", { intremap: true, "caching-mode": true })],
    ...["-drive", option("", { ...disk, snapshot: !keepChanges })],
    ...["-object", "rng-random,id=rng0,filename=/dev/urandom", "-device", "virtio-rng-pci,rng=rng0"],
    ...["-device", "virtio-serial-pci,id=serial0", ...LAB_PORTS.flatMap((port) => serialPort(directory, port))],
    ...["-device", option("pcie-root-port", { id: DISK_PORT, bus: "pcie.0", chassis: 1, slot: 1 })],
    ...["-netdev", "user,id=card,restrict=on", "-device", "e1000e,netdev=card,mac=52:54:00:6b:61:01,romfile="],
    ...(incoming ? ["-incoming", "defer"] : []),
  ];
}

export function monitorOf(directory: string): string {
  return join(directory, "qmp.sock");
}

export function socketOf(directory: string, port: string): string {
  return join(directory, `${port}.sock`);
}

function serialPort(directory: string, port: string): string[] {
  const socket = { id: port, path: socketOf(directory, port), server: true, wait: false };
  return [
    ...["-chardev", option("socket", socket)],
    ...["-device", option("virtserialport", { chardev: port, name: port })],
  ];
}
