import { describe, expect, it } from "vitest";
import { vmDirectory } from "../vm/vm-directory.ts";
import { machineConfig, withoutNames } from "./machine-config.ts";
import { defaultQemuConfig, type QemuConfig } from "./qemu-config.ts";
import { QemuVmm } from "./qemu-vmm.ts";

const CONFIG: QemuConfig = {
  ...defaultQemuConfig,
  ...{ qemuPath: "/q", kernelPath: "/k", imagePath: "/i", initrdPath: "/r", accelerator: "tcg" },
};

const machineOf = (change: Partial<QemuConfig>): object =>
  new QemuVmm({ ...CONFIG, ...change }).identify("tcg").machine;

describe("the identity of a QEMU machine", () => {
  it("is that of every sandbox's machine, whatever its name and its paths", () => {
    const place = { name: "sandbox-a", directory: vmDirectory("/run/kata-ts/vm/a") };
    const machine = machineConfig(CONFIG, "tcg", place);
    expect(machine).toMatchObject({ name: "sandbox-a", qmpSocket: "/run/kata-ts/vm/a/qmp.sock" });
    expect(withoutNames(machine)).toEqual(machineOf({}));
  });

  it.each<[string, Partial<QemuConfig>]>([
    ["memory", { memoryMiB: 512 }],
    ["processors", { vcpus: 2 }],
    ["kernel parameters", { kernelParams: ["debug"] }],
    ["ports", { rootPorts: 3 }],
    ["a 9p share", { sharedFs: "virtio-9p" }],
  ])("is another one with other %s", (_what, change) => {
    expect(machineOf(change)).not.toEqual(machineOf({}));
  });

  it.each<[boolean, string, string, Partial<QemuConfig>]>([
    [true, "is emulated and can be saved", "tcg", { sharedFs: "none" }],
    [true, "starts by QEMU's own firmware", "kvm", {}],
    [false, "starts by a firmware that may stop at it", "kvm", { firmwarePath: "/f" }],
    [false, "is a microvm", "kvm", { machine: { type: "microvm" } }],
  ])("has a generation (%s) where it %s", (has, _where, accelerator, change) => {
    const { machine } = new QemuVmm({ ...CONFIG, ...change }).identify(accelerator);
    expect("generation" in machine).toBe(has);
  });

  it("is of a machine that can be saved, which grows no more, with virtio-fs only where that is asked for", () => {
    expect(machineOf({})).not.toHaveProperty("savable");
    expect(machineOf({ savable: true })).toMatchObject({ savable: true });
    expect(machineOf({ savable: true })).not.toHaveProperty("maxMemoryMiB");
    expect(machineOf({ savable: true, sharedFs: "virtio-9p" })).not.toHaveProperty("savable");
  });

  it("names the files that the machine is made of, and tells a confined QEMU from another", () => {
    const { files, start } = new QemuVmm(CONFIG).identify("tcg");
    expect(files.slice(0, 4)).toEqual(["/q", "/k", "/i", "/r"]);
    expect(new QemuVmm({ ...CONFIG, confinement: false }).identify("tcg").start).not.toBe(start);
  });
});
