import { readFile } from "node:fs/promises";
import type { VmConfig } from "@kata-ts/qemu-driver";
import type { Fingerprint } from "../ports/saved-vm.ts";
import { contentDigest } from "../snapshot/content-digest.ts";
import { qemuVersion } from "./qemu-version.ts";

/** Files count by what is in them, wherever they are; QEMU by its version. */
const PATHS = ["qemuPath", "kernelPath", "initrdPath", "firmwarePath", "imagePath"] as const;

/** What has to be the same for a QEMU to go on with the state of another one. @throws KataError KATA_CONFIG */
export async function qemuFingerprint(vm: VmConfig): Promise<Fingerprint> {
  const [version, processor, files] = await Promise.all([
    qemuVersion(vm.qemuPath),
    vm.accelerator === "kvm" ? hostProcessor() : "emulated",
    digests(vm),
  ]);
  const others = Object.entries(vm).filter(([name]) => !(PATHS as readonly string[]).includes(name));
  return {
    QEMU: version,
    processor,
    ...files,
    ...Object.fromEntries(others.map(([name, value]) => [name, JSON.stringify(value)])),
  };
}

async function digests({ kernelPath, initrdPath, firmwarePath, imagePath }: VmConfig): Promise<Fingerprint> {
  const files = { kernel: kernelPath, initrd: initrdPath, firmware: firmwarePath, image: imagePath };
  const entries = Object.entries(files).map(async ([name, path]) => {
    return [name, path === undefined ? "none" : await contentDigest(path)] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** The guest of KVM has the host's processor: its model, and what the kernel lets it do. */
async function hostProcessor(): Promise<string> {
  const lines = (await readFile("/proc/cpuinfo", "utf8")).split("\n\n")[0]?.split("\n") ?? [];
  const field = (name: string): string =>
    lines
      .find((line) => line.startsWith(name))
      ?.split(":")[1]
      ?.trim() ?? "";
  return `${field("model name")}, ${field("flags").split(" ").sort().join(" ")}`;
}
