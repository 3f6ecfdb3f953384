import { chmod, copyFile, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { cachedDir, contentKey } from "./cache.ts";
import { GuestImageError } from "./errors.ts";
import { modulesInLoadOrder } from "./kernel-modules.ts";
import { fetchPackages, unpackPackage } from "./packages.ts";
import type { Progress } from "./progress.ts";

/** Small, and has ext4 built in; the others are modules. It has no 9p. */
const META_PACKAGE = "linux-image-cloud-amd64";
const MODULES = [
  "virtio_pci",
  "virtio_blk",
  "virtio_console",
  "virtio_rng",
  "virtio_net",
  "fuse",
  "virtiofs",
  "overlay",
] as const;

const INIT: string = fileURLToPath(new URL("../rootfs/initrd-init", import.meta.url));

export interface DistributionKernel {
  readonly kernelPath: string;
  readonly initrdPath: string;
}

/** The distribution's own kernel with an initial RAM disk that loads the drivers. Seconds to make, slower to boot. */
export async function fetchDistributionKernel(cacheDir: string, progress: Progress): Promise<DistributionKernel> {
  const name = await kernelPackage();
  const dir = await cachedDir(
    cacheDir,
    `distribution-kernel-${contentKey(name, MODULES.join())}`,
    async (unfinished) => {
      progress(`guest kernel: fetching ${name}`);
      const work = join(unfinished, "work");
      for (const deb of await fetchPackages([name, "busybox-static"], work)) await unpackPackage(deb.path, work);
      await copyFile(join(work, "boot", await vmlinuzIn(join(work, "boot"))), join(unfinished, "vmlinuz"));
      await writeInitrd(work, join(unfinished, "initrd"));
      await rm(work, { recursive: true });
    },
  );
  return { kernelPath: join(dir, "vmlinuz"), initrdPath: join(dir, "initrd") };
}

async function kernelPackage(): Promise<string> {
  const { stdout } = await execa("apt-cache", ["depends", META_PACKAGE], { reject: false });
  const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1];
  if (name !== undefined) return name;
  throw new GuestImageError(`no distribution package ${META_PACKAGE}`, "run `apt-get update`; Debian 12 has it");
}

async function vmlinuzIn(boot: string): Promise<string> {
  const found = (await readdir(boot)).find((file) => file.startsWith("vmlinuz-"));
  if (found === undefined) throw new GuestImageError("the kernel package has no vmlinuz", "report it");
  return found;
}

async function writeInitrd(unpacked: string, initrd: string): Promise<void> {
  const tree = join(unpacked, "initrd-tree");
  for (const dir of ["bin", "dev", "root", "modules"]) await mkdir(join(tree, dir), { recursive: true });
  await copyFile(join(unpacked, "bin/busybox"), join(tree, "bin/busybox"));
  await symlink("busybox", join(tree, "bin/sh"));
  await copyFile(INIT, join(tree, "init"));
  await chmod(join(tree, "init"), 0o755);
  const modules = await modulesInLoadOrder(join(unpacked, "lib/modules"), MODULES);
  for (const { name, path } of modules) await copyFile(path, join(tree, "modules", name));
  await writeFile(join(tree, "modules/order"), modules.map(({ name }) => `${name}\n`).join(""));
  await execa(`find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc > ${initrd}`, {
    cwd: tree,
    shell: "/bin/sh",
  });
}
