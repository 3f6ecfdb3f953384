import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Configuration, configurationOf } from "./configuration.ts";
import { type GivenOptions, readOptions } from "./files.ts";
import { configurationPaths, findInstallation } from "./installation.ts";

const installation = findInstallation("/opt/kata/libexec/kata-ts");

/** Files by their name below the configuration's directory; the first is the configuration. */
function read(files: Readonly<Record<string, string>>): GivenOptions {
  const directory = mkdtempSync(join(tmpdir(), "configuration-"));
  try {
    mkdirSync(join(directory, "config.d"));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    return readOptions(join(directory, "c.toml"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function load(toml: string): Configuration {
  return configurationOf(read({ "c.toml": toml }).options, installation);
}

describe("configuration.toml", () => {
  it("is optional: everything is found beside the programs", () => {
    const { qemu, proxyPath, shimPath, bootDeadlineMs } = configurationOf({}, installation);
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
    const { options, warnings } = readOptions(new URL("../../configuration.toml", import.meta.url).pathname);
    expect(configurationOf(options, installation)).toEqual(configurationOf({}, installation));
    expect(warnings).toEqual([]);
  });

  it("takes Kata's names", () => {
    const { qemu, debug } = load(
      '[hypervisor.qemu]\ndefault_memory = 512\nkernel_params = "a=b  c"\nshared_fs = "virtio-9p"\n[runtime]\nenable_debug = true\n',
    );
    expect(qemu).toMatchObject({ memoryMiB: 512, kernelParams: ["a=b", "c"], sharedFs: "virtio-9p" });
    expect(debug).toBe(true);
  });

  it("names a firmware, where it is not empty as Kata's is", () => {
    expect(load('[hypervisor.qemu]\nfirmware = "/opt/bios.bin"\n').qemu.firmwarePath).toBe("/opt/bios.bin");
    expect(load('[hypervisor.qemu]\nfirmware = ""\n').qemu).toEqual(load("").qemu);
  });

  it.each([
    ["nonsense", /configuration .*c\.toml/],
    ["[hypervisor.qemu]\ndefault_memory = 'much'\n", /default_memory/],
    ["[hypervisor.qemu]\nshared_fs = 'nfs'\n", /shared_fs/],
    ["[hypervisor.qemu]\nenable_annotations = ['(']\n", /enable_annotations/],
  ])("refuses %j by name", (toml, message) => {
    expect(() => load(toml)).toThrow(message);
  });

  it("is overridden by the drop-ins beside it, in the order of their names", () => {
    const { options, files } = read({
      "c.toml": "[hypervisor.qemu]\ndefault_memory = 512\ndefault_vcpus = 2\n",
      "config.d/20-b.toml": "[hypervisor.qemu]\ndefault_memory = 2048\n",
      "config.d/10-a.toml": "[hypervisor.qemu]\ndefault_memory = 1024\n[runtime]\nboot_timeout = 9\n",
      "config.d/README": "no configuration",
    });
    expect(options).toEqual({
      hypervisor: { qemu: { default_memory: 2048, default_vcpus: 2 } },
      runtime: { boot_timeout: 9 },
    });
    expect(files.map((path) => path.replace(/^.*?\/configuration-[^/]*\//, ""))).toEqual([
      "c.toml",
      "config.d/10-a.toml",
      "config.d/20-b.toml",
    ]);
  });

  it("names the drop-in that is wrong", () => {
    expect(() => read({ "c.toml": "", "config.d/x.toml": "[runtime]\nboot_timeout = 0\n" })).toThrow(
      /config\.d\/x\.toml: .*boot_timeout/,
    );
  });

  it("reports options and sections that nobody knows, and ignores them", () => {
    const { options, warnings } = read({
      "c.toml": "[hypervisor.qemu]\nmachine_type = 'q35'\n[hypervisor.acrn]\npath = '/x'\n[shim.kata]\n",
      "config.d/x.toml": "boot_timeout = 9\n",
    });
    expect(options).toEqual({ hypervisor: { qemu: {} }, shim: { kata: {} } });
    expect(warnings.map((warning) => warning.replace(/^.*\//, ""))).toEqual([
      "c.toml: unknown option hypervisor.qemu.machine_type is ignored",
      "c.toml: unknown option hypervisor.acrn is ignored",
      "x.toml: unknown option boot_timeout is ignored",
    ]);
  });
});
