import { describe, expect, it } from "vitest";
import type { VmConfig } from "../vm-config.ts";
import { hostTrees } from "./host-trees.ts";

const VM: VmConfig = {
  ...{ name: "x", qemuPath: "/usr/bin/qemu-system-x86_64", accelerator: "tcg", vcpus: 1, memoryMiB: 512 },
  ...{ kernelPath: "/g/vmlinux", imagePath: "/g/image", kernelParams: [], rootPorts: 2 },
  ...{ qmpSocket: "/v/qmp.sock", serialPort: { name: "agent", socket: "/v/agent.sock" } },
};

describe("what a confined QEMU has of the host", () => {
  it("is programs that everybody can read, its guest's files, and devices without a meaning", () => {
    const { readable, writable, devices } = hostTrees(VM);
    const known = ["/usr", "/nix/store", "/gnu/store", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
    const loader = ["/etc/ld.so.cache", "/etc/ld-musl-x86_64.path", "/etc/alternatives"];
    expect(readable.filter((path) => ![...known, ...loader].includes(path))).toEqual(["/g/vmlinux", "/g/image"]);
    expect(writable).toEqual([]);
    expect(devices).toEqual(["/dev/null", "/dev/zero", "/dev/urandom", "/dev/random"]);
  });

  it("is what is configured, too, each once", () => {
    const { readable, writable, devices } = hostTrees({
      ...VM,
      ...{ qemuPath: "/opt/q/bin/qemu", firmwarePath: "/usr/share/qemu/qboot.rom", initrdPath: "/g/vmlinux" },
      machine: { entropySource: "/dev/random" },
      memory: { directory: "/dev/shm" },
    });
    expect(readable.filter((path) => path.startsWith("/g/") || path.startsWith("/opt/"))).toEqual([
      ...["/opt/q/bin/qemu", "/g/vmlinux", "/g/image"],
    ]);
    expect(readable).not.toContain("/usr/share/qemu/qboot.rom");
    expect(writable).toEqual(["/dev/shm"]);
    expect(devices.filter((path) => path === "/dev/random")).toHaveLength(1);
  });
});
