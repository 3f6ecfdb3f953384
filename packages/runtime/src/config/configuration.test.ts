import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Configuration, configurationOf } from "./configuration.ts";
import { readOptions } from "./files.ts";
import { configurationPaths, findInstallation } from "./installation.ts";
import type { LoadedOptions } from "./loaded-options.ts";

const installation = findInstallation("/opt/kata/libexec/kata-ts");

/** Files by their name below the configuration's directory; the first is the configuration. */
async function read(files: Readonly<Record<string, string>>): Promise<LoadedOptions> {
  const directory = mkdtempSync(join(tmpdir(), "configuration-"));
  try {
    mkdirSync(join(directory, "config.d"));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    return await readOptions(join(directory, "c.toml"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function load(toml: string): Promise<Configuration> {
  return configurationOf((await read({ "c.toml": toml })).options, installation);
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

  it("as shipped holds exactly the defaults", async () => {
    const { options, warnings } = await readOptions(new URL("../../configuration.toml", import.meta.url).pathname);
    expect(configurationOf(options, installation)).toEqual(configurationOf({}, installation));
    expect(warnings).toEqual([]);
  });

  it("takes Kata's names", async () => {
    const { qemu, debug } = await load(
      '[hypervisor.qemu]\ndefault_memory = 512\nkernel_params = "a=b  c"\nshared_fs = "virtio-9p"\n[runtime]\nenable_debug = true\n',
    );
    expect(qemu).toMatchObject({ memoryMiB: 512, kernelParams: ["a=b", "c"], sharedFs: "virtio-9p" });
    expect(debug).toBe(true);
  });

  it("names a firmware, where it is not empty as Kata's is", async () => {
    const [named, empty, none] = await Promise.all(
      ['firmware = "/opt/bios.bin"', 'firmware = ""', ""].map((line) => load(`[hypervisor.qemu]\n${line}\n`)),
    );
    expect(named?.qemu.firmwarePath).toBe("/opt/bios.bin");
    expect(empty?.qemu).toEqual(none?.qemu);
  });

  it.each([
    ["nonsense", /configuration .*c\.toml/],
    ["[hypervisor.qemu]\ndefault_memory = 'much'\n", /default_memory/],
    ["[hypervisor.qemu]\nshared_fs = 'nfs'\n", /shared_fs/],
    ["[hypervisor.qemu]\nenable_annotations = ['(']\n", /enable_annotations/],
  ])("refuses %j by name", async (toml, message) => {
    await expect(load(toml)).rejects.toThrow(message);
  });

  it("is overridden by the drop-ins beside it, in the order of their names", async () => {
    const { options, files } = await read({
      "c.toml": "[hypervisor.qemu]\ndefault_memory = 512\ndefault_vcpus = 2\n",
      "config.d/20-b.toml": "[hypervisor.qemu]\ndefault_memory = 2048\n",
      "config.d/10-a.toml": "[hypervisor.qemu]\ndefault_memory = 1024\n[runtime]\nboot_timeout = 9\n",
      "config.d/README": "no configuration",
    });
    expect(options).toEqual({
      hypervisor: { qemu: { default_memory: 2048, default_vcpus: 2 } },
      runtime: { boot_timeout: 9 },
    });
    expect(files.map(({ path }) => path.replace(/^.*?\/configuration-[^/]*\//, ""))).toEqual([
      "c.toml",
      "config.d/10-a.toml",
      "config.d/20-b.toml",
    ]);
  });

  it("names the drop-in that is wrong", async () => {
    await expect(read({ "c.toml": "", "config.d/x.toml": "[runtime]\nboot_timeout = 0\n" })).rejects.toThrow(
      /config\.d\/x\.toml: .*boot_timeout/,
    );
  });

  it("reports options and sections that are unknown, and ignores them", async () => {
    const { options, warnings } = await read({
      "c.toml": "[hypervisor.qemu]\nrootless = true\n[hypervisor.acrn]\npath = '/x'\n[shim.kata]\n",
      "config.d/x.toml": "boot_timeout = 9\n",
    });
    expect(options).toEqual({ hypervisor: { qemu: {} }, shim: { kata: {} } });
    expect(warnings.map((warning) => warning.replace(/^.*\//, ""))).toEqual([
      "c.toml: unknown option hypervisor.qemu.rootless is ignored",
      "c.toml: unknown option hypervisor.acrn is ignored",
      "x.toml: unknown option boot_timeout is ignored",
    ]);
  });
});
