import { readFileSync, truncateSync } from "node:fs";
import { basename, join } from "node:path";
import { specToMessage } from "@kata-ts/agent-protocol";
import { defaultSpec, Sandbox } from "@kata-ts/virtcontainers";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { guestWithRootfs, output, ROOTFS, SHARE as SHARED_TREE, startContainer } from "../harness/agent-calls.ts";
import type { BundleOptions } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { busyboxRootfs } from "../harness/images.ts";
import { Kata } from "../harness/kata.ts";
import { ROOT, SHARE } from "../harness/paths.ts";

/** What Kata 1.12 installs, with the paths of this installation. */
function stockConfiguration(): string {
  const fixtures = join(ROOT, "packages/runtime/src/config/fixtures");
  const ours: Readonly<Record<string, string>> = { kernel: "", image: "", path: "", virtio_fs_daemon: "" };
  const text = readFileSync(join(fixtures, "kata-1x-qemu.toml"), "utf8");
  return text.replaceAll(/^(\w+) = "\/.*"$/gm, (line, name: string) => (name in ours ? `${name} = ""` : line));
}

/** Arguments of the QEMU that runs a container's VM. */
function qemuArguments(kata: Kata, id: string): string {
  const { vm } = JSON.parse(readFileSync(join(kata.root, id, "kata.json"), "utf8")) as {
    vm: { vmm: { pid: number } };
  };
  return readFileSync(`/proc/${String(vm.vmm.pid)}/cmdline`, "latin1").replaceAll("\0", " ");
}

describe("what Kata 1.x's users have", () => {
  expectCleanHost();

  it("its installed configuration runs a container, without a warning", async () => {
    await using kata = Kata.configured(stockConfiguration());
    const { path } = await kata.bundle({ args: ["sh", "-c", "grep -c ' 9p ' /proc/mounts"] });
    const { stdout, stderr, exitCode } = await kata.run(["run", "--bundle", path, kata.id()]);
    expect({ stderr, exitCode }).toEqual({ stderr: "", exitCode: 0 });
    expect(Number(stdout)).toBeGreaterThan(0);
  });

  it("options of the machine, its memory and its helpers", async () => {
    await using kata = Kata.configured(`[hypervisor.qemu]
machine_type = "pc-q35-7.2"
machine_accelerators = "nosmm,hpet=off"
cpu_features = "pmu=off"
default_vcpus = 0
default_memory = 256
memory_slots = 3
enable_mem_prealloc = true
file_mem_backend = "/dev/shm"
pcie_root_port = 16
msize_9p = 0
enable_iothreads = true
enable_iommu = true
virtio_fs_extra_args = ["--thread-pool-size=2"]
enable_debug = true
[agent.kata]
enable_debug = true
`);
    const id = await kata.start({ args: ["sleep", "1000"] });
    const argv = qemuArguments(kata, id);
    expect(argv).toContain("-machine pc-q35-7.2,memory-backend=mem,smm=off,hpet=off ");
    expect(argv).toContain("mem-path=/dev/shm");
    expect(argv).toContain("slots=3");
    await kata.ok(["update", "--memory", String(128 * 2 ** 20), id]);
    expect(await kata.ok(["exec", id, "sh", "-c", "ls /sys/bus/pci/slots | wc -l"])).toBe("16");
    const logs = await kata.ok(["logs", id]);
    expect(logs).toMatch(/createSandbox: \d+ ms/);
    expect(logs).toMatch(/PCI: Using configuration type|pci 0000:00/);
  });

  it("disks with a thread and a cache of their own", async () => {
    await using kata = Kata.configured(`[hypervisor.qemu]
disable_block_device_use = false
block_device_driver = "virtio-scsi"
block_device_cache_set = true
block_device_cache_noflush = true
enable_iothreads = true
`);
    const image = kata.file("volume", "");
    truncateSync(image, 4 * 2 ** 20);
    const { stdout: device } = await execa("losetup", ["--find", "--show", image]);
    try {
      const [major, minor] = readFileSync(`/sys/class/block/${basename(device)}/dev`, "latin1")
        .split(":")
        .map(Number);
      const { path } = await kata.bundle({
        args: ["sh", "-c", "echo from the guest | dd of=/dev/own conv=notrunc,fsync 2>/dev/null"],
        edit: (spec) => {
          const linux = spec.linux as { devices?: object[]; resources: { devices: object[] } };
          linux.devices = [{ path: "/dev/own", type: "b", major, minor, fileMode: 0o660, uid: 0, gid: 0 }];
          linux.resources.devices.push({ allow: true, type: "b", major, minor, access: "rwm" });
        },
      });
      expect(await kata.run(["run", "--bundle", path, kata.id()])).toMatchObject({ exitCode: 0, stderr: "" });
      expect(readFileSync(image, "latin1")).toMatch(/^from the guest\n/);
    } finally {
      await execa("losetup", ["--detach", device]);
    }
  });

  it("disable_guest_seccomp leaves the container's profile out", async () => {
    const edit: BundleOptions["edit"] = (spec) => {
      const syscalls = [{ names: ["sethostname"], action: "SCMP_ACT_ERRNO", errnoRet: 99 }];
      Object.assign(spec.linux as object, { seccomp: { defaultAction: "SCMP_ACT_ALLOW", syscalls } });
    };
    const args = ["grep", "^Seccomp:", "/proc/self/status"];
    for (const [disabled, mode] of [
      ["true", "0"],
      ["false", "2"],
    ] as const) {
      await using kata = Kata.configured(`[runtime]\ndisable_guest_seccomp = ${disabled}\n`);
      const { path } = await kata.bundle({ args, edit });
      expect((await kata.run(["run", "--bundle", path, kata.id()])).stdout).toBe(`Seccomp:\t${mode}`);
    }
  });

  it("hashes of kernel and image in annotations: other files are refused before anything is made", async () => {
    await using kata = new Kata();
    const { stdout } = await execa("sha512sum", [join(SHARE, "vmlinux")]);
    const right = stdout.split(" ")[0] ?? "";
    for (const [hash, exitCode] of [
      [right, 0],
      [right.replace(/^./, "x"), 1],
    ] as const) {
      const { path } = await kata.bundle({
        args: ["true"],
        edit: (spec) => {
          Object.assign(spec, { annotations: { "io.katacontainers.config.hypervisor.kernel_hash": hash } });
        },
      });
      const result = await kata.run(["run", "--bundle", path, kata.id()]);
      expect(result.exitCode).toBe(exitCode);
      expect(result.stderr).toContain(exitCode === 0 ? "" : "has another sha512 hash");
    }
  });

  it("more than eight processors", async () => {
    const vm = { kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4"), vcpus: 12 };
    await using sandbox = await Sandbox.create({ vm, bootDeadlineMs: 120_000 });
    const { stdout } = await sandbox.run({ rootfs: await busyboxRootfs(), args: ["nproc"] });
    expect(stdout).toBe("12\n");
  });

  it("hooks of the guest's image run in the guest, for each container", async () => {
    await using guest = await guestWithRootfs();
    using agent = await guest.connect();
    const hooks = "/run/kata-containers/hooks";
    const script = `#!/bin/sh\nread -r state || :\necho "$1 \${state%%pid*}" >> ${hooks}/ran\n`;
    for (const kind of ["prestart", "poststart", "poststop"]) {
      const data = Buffer.from(script);
      const file = {
        path: `${hooks}/${kind}/10-note`,
        file_mode: 0o755,
        dir_mode: 0o755,
        data,
        file_size: data.length,
      };
      await agent.copyFile(file);
    }
    await agent.createSandbox({ sandbox_id: "s", storages: [SHARED_TREE], guest_hook_path: hooks });
    await startContainer(agent, "a", ["sleep", "1000"], false);
    await agent.removeContainer({ container_id: "a" });
    const base = defaultSpec({ args: ["cat", "/mnt/hooks/ran"] });
    const mounts = [
      ...(base.mounts ?? []),
      { destination: "/mnt", type: "tmpfs", source: "tmpfs" },
      { destination: "/mnt/hooks", type: "bind", source: hooks, options: ["rbind"] },
    ];
    const OCI = specToMessage({ ...base, root: { path: ROOTFS, readonly: true }, mounts });
    await agent.createContainer({ container_id: "b", exec_id: "b", OCI });
    await agent.startContainer({ container_id: "b" });
    const ran = (await output(agent, "b")).stdout.split("\n").map((line) => line.split(" ")[0]);
    expect(ran.slice(0, 4)).toEqual(["prestart", "poststart", "poststop", "prestart"]);
    await agent.destroySandbox({});
    await expect(agent.createSandbox({ sandbox_id: "s", guest_hook_path: "/missing" })).rejects.toThrow(
      "the guest has no directory /missing for hooks",
    );
  });

  it("its scripts' calls: checks, versions, environment, without a container", async () => {
    await using kata = new Kata();
    for (const options of [["--no-network-checks"], ["-n", "--strict", "--verbose"]]) {
      const { stdout, exitCode } = await kata.run(["kata-check", ...options]);
      expect({ exitCode }, stdout).toEqual({ exitCode: 0 });
      expect(stdout).toContain("System is capable of running Kata Containers\n");
      expect(stdout).toContain("System can currently create Kata Containers");
      expect(stdout.includes("Version consistency of Kata Containers is verified")).toBe(options.includes("--strict"));
    }
    for (const option of ["--check-version-only", "--only-list-releases", "--include-all-releases"]) {
      expect((await kata.run(["kata-check", option])).exitCode, option).toBe(0);
    }
    expect(await kata.ok(["version"])).toBe(await kata.ok(["--version"]));
    for (const option of ["--kata-show-default-config-paths", "--show-default-config-paths"]) {
      expect(await kata.ok([option])).toMatch(/^\/etc\/kata-ts\/configuration\.toml\n\//);
    }
    const environment = JSON.parse(await kata.ok(["kata-env", "--json"])) as Record<string, object>;
    for (const [section, names] of Object.entries(ENVIRONMENT)) {
      expect(Object.keys(environment[section] ?? {}), section).toEqual(expect.arrayContaining([...names]));
    }
  });

  it("its scripts' calls about a container, and a report of a fault without its secrets", async () => {
    await using kata = Kata.configured('[hypervisor.qemu]\nkernel_params = "probe.token=hunter2"\n');
    const id = await kata.start({
      args: ["sleep", "1000"],
      edit: (spec) => {
        (spec.process as { env: string[] }).env.push("PASSWORD=hunter3");
      },
    });
    const overhead = await kata.ok(["kata-overhead", id]);
    for (const name of ["cpu_overhead", "memory_overhead_bytes", "cpu_host", "cpu_guest"])
      expect(overhead).toMatch(new RegExp(`^${name}=-?\\d`, "m"));
    expect(Number(/^memory_overhead_bytes=(\d+)$/m.exec(overhead)?.[1])).toBeGreaterThan(2 ** 20);
    const table = await kata.ok(["list", "--kata-all"]);
    expect(table.split("\n")[0]).toMatch(/OWNER +HYPERVISOR +KERNEL +IMAGE +LATEST-KERNEL +LATEST-IMAGE +STALE$/);
    const [view] = JSON.parse(await kata.ok(["list", "--kata-all", "--format", "json"])) as Record<string, unknown>[];
    expect(view).toMatchObject({ id, StaleAssets: null });
    expect(view?.currentHypervisor).toEqual(view?.latestHypervisor);
    const report = await kata.ok(["kata-collect-data"]);
    for (const text of [id, "[Hypervisor]", "kernel_params", "accelerator: "]) expect(report).toContain(text);
    expect(report).not.toMatch(/hunter\d/);
  });

  it("logs of calls with Kata's fields, merged by time", async () => {
    await using kata = new Kata();
    const [text, json] = [join(kata.directory, "a.log"), join(kata.directory, "b.json")];
    await kata.run(["--log", text, "--debug", "kill", "missing"]);
    await kata.run(["--log", json, "--log-format", "json", "state", "missing"]);
    const fields = /level=error .*name=kata-runtime source=runtime pid=\d+ command=kill container=missing/;
    expect(readFileSync(text, "utf8")).toMatch(fields);
    const merged = (await kata.ok(["kata-log-parser", "--level", "error", json, text])).split("\n");
    expect(merged).toEqual([expect.stringContaining("command=kill"), expect.stringContaining("command=state")]);
  });
});

/** Kata 1.x's own fields. */
const ENVIRONMENT: Readonly<Record<string, readonly string[]>> = {
  Meta: ["Version"],
  Runtime: [
    ...["Version", "Config", "Debug", "Trace", "DisableGuestSeccomp", "DisableNewNetNs", "SandboxCgroupOnly"],
    ...["Experimental", "Path"],
  ],
  Hypervisor: [
    ...[
      "MachineType",
      "Version",
      "Path",
      "BlockDeviceDriver",
      "EntropySource",
      "SharedFS",
      "VirtioFSDaemon",
      "Msize9p",
    ],
    ...["MemorySlots", "PCIeRootPort", "HotplugVFIOOnRootBus", "Debug", "UseVSock"],
  ],
  Image: ["Path"],
  Kernel: ["Path", "Parameters"],
  Initrd: ["Path"],
  Proxy: ["Type", "Version", "Path", "Debug"],
  Shim: ["Type", "Version", "Path", "Debug"],
  Agent: ["Type", "Debug", "Trace", "TraceMode", "TraceType"],
  Host: ["Kernel", "Architecture", "Distro", "CPU", "VMContainerCapable", "SupportVSocks"],
  Netmon: ["Version", "Path", "Debug", "Enable"],
};
