import { describe, expect, it } from "vitest";
import { qemuArgv } from "./argv.ts";
import { MAX_ROOT_PORTS, rootPortSlot } from "./root-port.ts";
import type { VmConfig } from "./vm-config.ts";

const CONFIG: VmConfig = {
  ...{ name: "a", qemuPath: "/usr/bin/qemu-system-x86_64", accelerator: "kvm", vcpus: 1, maxVcpus: 1, memoryMiB: 512 },
  ...{ maxMemoryMiB: 1024, kernelPath: "/g/vmlinux", imagePath: "/g/rootfs.ext4", kernelParams: [], rootPorts: 1 },
  ...{ qmpSocket: "/v/qmp.sock", serialPort: { name: "agent.channel.0", socket: "/v/agent.sock" } },
};

/** What follows an option, wherever it stands. */
function given(config: Partial<VmConfig>, name: string): string[] {
  const argv = qemuArgv({ ...CONFIG, ...config });
  return argv.filter((_, index) => argv[index - 1] === name);
}

describe("a machine other than the usual one", () => {
  it("has its type, properties and features of the processor", () => {
    const machine = {
      type: "pc-q35-7.2",
      properties: { hpet: "off", smm: "off" },
      cpuFeatures: ["pmu=off", "+x2apic"],
    };
    expect(given({ machine }, "-machine")).toEqual(["pc-q35-7.2,memory-backend=mem,hpet=off,smm=off"]);
    expect(given({ machine }, "-cpu")).toEqual(["host,migratable=off,pmu=off,+x2apic"]);
    expect(given({ machine, accelerator: "tcg" }, "-cpu")).toEqual(["max,-erms,-la57,pmu=off,+x2apic"]);
  });

  it("has PCI Express, and a kernel that knows how to reset it, where it is a microvm", () => {
    const machine = { type: "microvm" };
    expect(given({ machine }, "-machine")).toEqual([
      "microvm,memory-backend=mem,acpi=on,pcie=on,auto-kernel-cmdline=off",
    ]);
    expect(given({ machine }, "-append")[0]).toMatch(/ reboot=k .* reboot=t pcie_ports=native$/);
    expect(given({}, "-append")[0]).not.toContain("reboot=t");
    expect(given({ machine }, "-device")).toContain("pcie-root-port,id=rp0,bus=pcie.0,addr=0x10,chassis=1,slot=1");
  });

  it("has an IOMMU before all of its devices", () => {
    const machine = { iommu: true };
    expect(given({ machine }, "-device")[0]).toBe("intel-iommu,intremap=on,device-iotlb=on,caching-mode=on");
    expect(given({ machine }, "-machine")).toEqual(["q35,memory-backend=mem,kernel-irqchip=split"]);
    expect(given({ machine, accelerator: "tcg" }, "-machine")).toEqual(["q35,memory-backend=mem"]);
    expect(given({ machine }, "-append")[0]).toContain("intel_iommu=on iommu=pt");
  });

  it("takes random numbers from another file", () => {
    expect(given({ machine: { entropySource: "/dev/hwrng" } }, "-object")).toContain(
      "rng-random,id=rng0,filename=/dev/hwrng",
    );
  });

  it.each([
    [{ hugePages: true }, "memory-backend-memfd,id=mem,size=512M,share=on,hugetlb=on"],
    [{ preallocated: true }, "memory-backend-memfd,id=mem,size=512M,share=on,prealloc=on"],
    [{ directory: "/dev/shm" }, "memory-backend-file,id=mem,size=512M,share=on,mem-path=/dev/shm"],
  ])("has memory of another kind: %j", (memory, backend) => {
    expect(given({ memory }, "-object")).toContain(backend);
  });

  it("has fewer slots for memory", () => {
    expect(given({ memory: { slots: 3 } }, "-m")).toEqual(["512M,slots=3,maxmem=1024M"]);
  });

  it("has a device instead of slots, whose memory is taken away again, and a kernel that keeps it free of its own", () => {
    const memory = { resizable: true, directory: "/dev/shm" };
    expect(given({ memory }, "-m")).toEqual(["512M,slots=0,maxmem=1024M"]);
    expect(given({ memory }, "-object")).toContain(
      "memory-backend-file,id=growth,size=512M,share=on,mem-path=/dev/shm",
    );
    expect(given({ memory }, "-device")).toContain(
      "virtio-mem-pci,id=resizable,memdev=growth,requested-size=0,romfile=",
    );
    expect(given({ memory }, "-append")[0]).toContain("memory_hotplug.online_policy=auto-movable");
    expect(given({}, "-append")[0]).not.toContain("memory_hotplug");
    // No more than whole blocks of memory, and none where there is no room for one.
    expect(given({ memory, maxMemoryMiB: 700 }, "-object")).toContainEqual(expect.stringContaining("size=128M"));
    expect(given({ memory, maxMemoryMiB: 600 }, "-device").join(" ")).not.toContain("virtio-mem");
  });

  it("is refused with memory that huge pages do not make up", () => {
    expect(() => qemuArgv({ ...CONFIG, memoryMiB: 513, memory: { hugePages: true } })).toThrow("no multiple");
  });

  it("keeps a clone's memory the copy that it is", () => {
    expect(given({ memoryFile: "/memory", memory: { preallocated: true } }, "-object")).toContain(
      "memory-backend-file,id=mem,size=512M,share=on,mem-path=/memory",
    );
    const saved = { memoryFile: "/memory", savable: true, memory: { preallocated: true } };
    expect(given(saved, "-object")[0]).toContain("prealloc=on");
    expect(given({ ...saved, incoming: true }, "-object")[0]).not.toContain("prealloc");
  });

  it("has a thread for its disks", () => {
    expect(given({ disks: { ioThread: true } }, "-object")).toContain("iothread,id=disk-thread");
  });

  it("has an adapter whose units disks are, served by the same thread", () => {
    expect(given({ disks: { scsi: true } }, "-device")).toContain("virtio-scsi-pci,id=scsi0,romfile=");
    const both = { scsi: true, ioThread: true };
    expect(given({ disks: both }, "-device")).toContain("virtio-scsi-pci,id=scsi0,romfile=,iothread=disk-thread");
    expect(given({}, "-device").join(" ")).not.toContain("scsi");
  });

  it("has each of its ports at a slot of its own, which is not QEMU's", () => {
    const slots = Array.from({ length: MAX_ROOT_PORTS }, (_, port) => rootPortSlot(port));
    expect(new Set(slots).size).toBe(MAX_ROOT_PORTS);
    expect(slots.every((slot) => slot >= 0x0e && slot <= 0x1d)).toBe(true);
    expect(slots.slice(0, 2)).toEqual([0x10, 0x11]);
  });
});
