import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { checkFiles } from "./check-files.ts";
import { type Configuration, configurationOf } from "./configuration.ts";
import { readOptions } from "./files.ts";
import { findInstallation } from "./installation.ts";

const installation = findInstallation("/opt/kata/libexec/kata-ts");

function fixture(name: string): string {
  return fileURLToPath(new URL(`fixtures/${name}.toml`, import.meta.url));
}

function load(section: string, line: string): Configuration {
  const { options, warnings } = checkFiles([{ path: "c.toml", text: `[${section}]\n${line}\n` }]);
  expect(warnings).toEqual([]);
  return configurationOf(options, installation);
}

const qemu = (line: string): Configuration["qemu"] => load("hypervisor.qemu", line).qemu;
const HOST = availableParallelism();

describe("configuration.toml of Kata 1.x", () => {
  it.each(["kata-1x-qemu", "kata-1x-comments"])("%s has no option that is unknown here", async (name) => {
    const { options, warnings } = await readOptions(fixture(name));
    expect(warnings).toEqual([]);
    expect(() => configurationOf(options, installation)).not.toThrow();
  });

  it("as it is installed means what it means there", async () => {
    const { options } = await readOptions(fixture("kata-1x-qemu"));
    const { qemu: config, useBlockDevices, useSeccomp, proxyPath } = configurationOf(options, installation);
    expect(config).toMatchObject({
      ...{ kernelPath: "/usr/share/kata-containers/vmlinuz.container", sharedFs: "virtio-9p", memoryMiB: 2048 },
      machine: { cpuFeatures: ["pmu=off"] },
    });
    expect(config.machine).not.toHaveProperty("type");
    expect(config).not.toHaveProperty("firmwarePath");
    expect([useBlockDevices, useSeccomp]).toEqual([true, false]);
    expect(proxyPath).toBe("/usr/libexec/kata-containers/kata-proxy");
  });

  it("with everything turned on that is a comment there", async () => {
    const { options } = await readOptions(fixture("kata-1x-comments"));
    const { qemu: config, guest, debug } = configurationOf(options, installation);
    expect(config).toMatchObject({
      ...{ imageOnDisk: true, msize9p: 8192, rootPorts: 2, kernelParams: ["debug", "loglevel=7", "agent.log=debug"] },
      machine: { iommu: true },
      memory: { hugePages: true, preallocated: true, slots: 10 },
      disks: { cache: { direct: true, noFlush: true } },
    });
    expect(guest).toEqual({
      hookPath: "/usr/share/oci/hooks",
      kernelModules: [
        { name: "e1000e", parameters: ["InterruptThrottleRate=3000,3000,3000", "EEE=1"] },
        { name: "loop", parameters: [] },
      ],
    });
    expect(debug).toBe(true);
  });

  it.each([
    ["default_vcpus = 0", "vcpus", 1],
    ["default_vcpus = -1", "vcpus", HOST],
    [`default_vcpus = ${String(HOST + 1)}`, "vcpus", HOST],
    ["default_vcpus = 400", "vcpus", Math.min(HOST, 240)],
    ["default_maxvcpus = 0", "maxVcpus", undefined],
    ["default_maxvcpus = 1", "maxVcpus", 1],
    ["default_maxvcpus = 240", "maxVcpus", Math.min(HOST, 240)],
    ["default_memory = 0", "memoryMiB", 2048],
    ["pcie_root_port = 0", "rootPorts", 5],
    ["pcie_root_port = 1", "rootPorts", 5],
    ["pcie_root_port = 16", "rootPorts", 16],
    ["msize_9p = 0", "msize9p", 512_000],
    ['shared_fs = ""', "sharedFs", "virtio-fs"],
    ['virtio_fs_cache = ""', "virtioFsCache", "auto"],
    ['path = ""', "qemuPath", "/usr/bin/qemu-system-x86_64"],
    ['image = ""', "imagePath", "/opt/kata/share/kata-ts/rootfs.ext4"],
  ] as const)("takes %s", (line, field, value) => {
    expect(qemu(line)[field]).toBe(value);
  });

  it.each([
    ['machine_type = "pc-q35-7.2"', { machine: { type: "pc-q35-7.2" } }],
    ['machine_type = "microvm"', { machine: { type: "microvm" } }],
    ['machine_type = "pc"', { machine: undefined }],
    [
      'machine_accelerators = "nosmm,hpet=off, pit"',
      { machine: { properties: { smm: "off", hpet: "off", pit: "on" } } },
    ],
    ['cpu_features = "pmu=off,+x2apic,"', { machine: { cpuFeatures: ["pmu=off", "+x2apic"] } }],
    ['entropy_source = "/dev/hwrng"', { machine: { entropySource: "/dev/hwrng" } }],
    ['file_mem_backend = "/dev/shm"', { memory: { directory: "/dev/shm" } }],
    ["enable_virtio_mem = true", { memory: { resizable: true } }],
    ["block_device_cache_set = true", { disks: { cache: { direct: false, noFlush: false } } }],
    ["block_device_cache_direct = true", { disks: undefined }],
    ['block_device_driver = "virtio-scsi"', { disks: { scsi: true } }],
    ['block_device_driver = "virtio-blk"', { disks: undefined }],
    ["enable_iothreads = true", { disks: { ioThread: true } }],
    ['virtio_fs_extra_args = ["--thread-pool-size=1"]', { virtiofsdArguments: ["--thread-pool-size=1"] }],
    ["memory_slots = 200", { memory: undefined }],
  ])("obeys %s", (line, config) => {
    const found = qemu(line);
    for (const [name, value] of Object.entries(config)) expect(found[name as keyof typeof found]).toEqual(value);
  });

  it.each([
    ["hypervisor.qemu", 'machine_type = "isapc"', "only q35 machines"],
    ["hypervisor.qemu", 'machine_accelerators = "kernel=/etc/shadow"', "none that names a file"],
    ["hypervisor.qemu", 'machine_accelerators = "dumpdtb=x"', "none that names a file"],
    ["hypervisor.qemu", 'cpu_features = "pmu"', "features of QEMU's processor"],
    ["hypervisor.qemu", "virtio_fs_cache_size = 1024", "DAX window"],
    ["hypervisor.qemu", "enable_vhost_user_store = true", "vhost-user devices are not supported"],
    ["hypervisor.qemu", "enable_iommu_platform = true", "bypass its IOMMU"],
    ["hypervisor.qemu", 'pflashes = ["/x"]', "flash images are not supported"],
    ["hypervisor.qemu", 'block_device_driver = "nvdimm"', "block_device_driver"],
    ["hypervisor.qemu", "default_memory = 64", "at least 128"],
    ["hypervisor.qemu", "pcie_root_port = 17", "pcie_root_port"],
    ["runtime", "enable_agent_pidns = true", "never see the processes of the guest"],
    ["runtime", 'experimental = ["newstore"]', "no experimental features"],
    ["hypervisor.clh", 'path = "/usr/bin/cloud-hypervisor"', "configures the hypervisor clh only"],
    ["hypervisor.firecracker", 'path = "/usr/bin/firecracker"', "configures the hypervisor firecracker only"],
  ])("refuses %s %s by name", (section, line, message) => {
    expect(() => load(section, line)).toThrow(expect.objectContaining({ code: "KATA_CONFIG" }));
    expect(() => load(section, line)).toThrow(message);
  });

  it.each([
    ["[factory]\nenable_template = true", "enable_hugepages = true"],
    ["[factory]\nenable_template = true", 'file_mem_backend = "/dev/shm"'],
    ["[factory]\nenable_template = true", "enable_virtio_mem = true"],
    ["[factory]\nenable_template = true", "use_vsock = true"],
    ["[factory]\nvm_cache_number = 1", "use_vsock = true"],
    ["[factory]\nenable_template = true", 'machine_type = "microvm"'],
    ["enable_virtio_mem = true", 'machine_type = "microvm"'],
    ["enable_iommu = true", 'machine_type = "microvm"'],
    ["enable_virtio_mem = true", "enable_hugepages = true"],
    ["enable_virtio_mem = true", "enable_mem_prealloc = true"],
  ])("refuses %s with %s", (one, other) => {
    const { options } = checkFiles([{ path: "c.toml", text: `[hypervisor.qemu]\n${other}\n${one}\n` }]);
    expect(() => configurationOf(options, installation)).toThrow(/^\w+ does not go with \w+$/);
  });

  it.each(["hypervisor.qemu", "proxy.kata", "shim.kata", "agent.kata", "netmon", "runtime"])(
    "logs more by enable_debug of [%s]",
    (section) => {
      expect(load(section, "enable_debug = true").debug).toBe(true);
    },
  );
});
