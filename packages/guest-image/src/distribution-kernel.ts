import { chmod, copyFile, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Archive } from "./archive/archive.ts";
import type { Candidate } from "./archive/candidate.ts";
import { unpackPackage } from "./archive/packages.ts";
import { type BuildRoot, WORK } from "./build-root/run.ts";
import { cachedDir, contentKey } from "./cache.ts";
import { GuestImageError } from "./errors.ts";
import { modulesInLoadOrder } from "./kernel-modules.ts";
import type { ImageTools } from "./tools.ts";

/** Small; the drivers are modules. It has no 9p. */
const META_PACKAGE = "linux-image-cloud-amd64";
const MODULES = [
  ...["virtio_pci", "virtio_blk", "virtio_console", "virtio_rng", "virtio_net", "virtio_scsi", "sd_mod"],
  ...["ext4", "fuse", "virtiofs", "overlay"],
] as const;

const INIT: string = fileURLToPath(new URL("../rootfs/initrd-init", import.meta.url));

export interface DistributionKernel {
  readonly kernelPath: string;
  readonly initrdPath: string;
  readonly package: Candidate;
}

/** The suite's own kernel with an initial RAM disk that loads the drivers. Seconds to make, slower to boot. */
export async function fetchDistributionKernel(tools: ImageTools): Promise<DistributionKernel> {
  const { archive, root, cacheDir, progress } = tools;
  const kernel = await archive.candidate(await kernelPackage(archive));
  const packages = [kernel, await archive.candidate("busybox-static")];
  const versions = packages.map(({ name, version }) => `${name}=${version}`);
  const key = contentKey(...versions, MODULES.join(), root.key);
  const dir = await cachedDir(cacheDir, `distribution-kernel-${key}`, async (unfinished) => {
    progress(`guest kernel: fetching ${kernel.name} ${kernel.version}`);
    const work = join(unfinished, "work");
    for (const deb of await archive.fetch(packages, work)) await unpackPackage(deb.path, work);
    await copyFile(join(work, "boot", await vmlinuzIn(join(work, "boot"))), join(unfinished, "vmlinuz"));
    await writeInitrd(root, work);
    await copyFile(join(work, "initrd"), join(unfinished, "initrd"));
    await rm(work, { recursive: true });
  });
  return { kernelPath: join(dir, "vmlinuz"), initrdPath: join(dir, "initrd"), package: kernel };
}

async function kernelPackage(archive: Archive): Promise<string> {
  const name = (await archive.dependencies(META_PACKAGE)).find((dependency) => dependency.startsWith("linux-image-"));
  if (name !== undefined) return name;
  throw new GuestImageError(`${META_PACKAGE} depends on no kernel`, "run `npm run guest:update`");
}

async function vmlinuzIn(boot: string): Promise<string> {
  const found = (await readdir(boot)).find((file) => file.startsWith("vmlinuz-"));
  if (found === undefined) throw new GuestImageError("the kernel package has no vmlinuz", "report it");
  return found;
}

async function writeInitrd(root: BuildRoot, work: string): Promise<void> {
  const tree = join(work, "initrd-tree");
  for (const dir of ["bin", "dev", "root", "modules"]) await mkdir(join(tree, dir), { recursive: true });
  await copyFile(join(work, "usr/bin/busybox"), join(tree, "bin/busybox"));
  await symlink("busybox", join(tree, "bin/sh"));
  await copyFile(INIT, join(tree, "init"));
  await chmod(join(tree, "init"), 0o755);
  await root.run(work, ["find", "usr/lib/modules", "-name", "*.ko.xz", "-exec", "xz", "-d", "{}", "+"]);
  const modules = await modulesInLoadOrder(join(work, "usr/lib/modules"), MODULES);
  for (const { name, path } of modules) await copyFile(path, join(tree, "modules", name));
  await writeFile(join(tree, "modules/order"), modules.map(({ name }) => `${name}\n`).join(""));
  const script = `find . -exec touch -h -d @1700000000 {} + && find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc -R 0:0 >${WORK}/initrd`;
  await root.run(work, ["sh", "-c", script], { cwd: `${WORK}/initrd-tree` });
}
