import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfiguration } from "./configuration.ts";
import { configurationPaths, findInstallation } from "./installation.ts";

const installation = findInstallation("/opt/kata/libexec/kata-ts");

function load(toml: string): ReturnType<typeof loadConfiguration> {
  const directory = mkdtempSync(join(tmpdir(), "configuration-"));
  try {
    writeFileSync(join(directory, "c.toml"), toml);
    return loadConfiguration(join(directory, "c.toml"), installation);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe("configuration.toml", () => {
  it("is optional: everything is found beside the programs", () => {
    const { qemu, proxyPath, shimPath, bootDeadlineMs } = loadConfiguration(undefined, installation);
    expect(qemu).toMatchObject({
      kernelPath: "/opt/kata/share/kata-ts/vmlinux",
      imagePath: "/opt/kata/share/kata-ts/rootfs.ext4",
      memoryMiB: 2048,
      vcpus: 1,
      sharedFs: "virtio-fs",
      accelerator: "auto",
    });
    expect([proxyPath, shimPath]).toEqual([
      "/opt/kata/libexec/kata-ts/kata-proxy",
      "/opt/kata/libexec/kata-ts/kata-shim",
    ]);
    expect(bootDeadlineMs).toBe(60_000);
    expect(configurationPaths(installation)[0]).toBe("/etc/kata-ts/configuration.toml");
  });

  it("as shipped holds exactly the defaults", () => {
    const shipped = loadConfiguration(new URL("../../configuration.toml", import.meta.url).pathname, installation);
    expect(shipped).toEqual(loadConfiguration(undefined, installation));
  });

  it("takes Kata's names", () => {
    const { qemu, debug } = load(
      '[hypervisor.qemu]\ndefault_memory = 512\nkernel_params = "a=b  c"\nshared_fs = "virtio-9p"\n[runtime]\nenable_debug = true\n',
    );
    expect(qemu).toMatchObject({ memoryMiB: 512, kernelParams: ["a=b", "c"], sharedFs: "virtio-9p" });
    expect(debug).toBe(true);
  });

  it.each([
    ["nonsense", /configuration .*c\.toml/],
    ["[hypervisor.qemu]\ndefault_memory = 'much'\n", /default_memory/],
    ["[hypervisor.qemu]\nshared_fs = 'nfs'\n", /shared_fs/],
  ])("refuses %j by name", (toml, message) => {
    expect(() => load(toml)).toThrow(message);
  });
});
