import { copyFile, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { cachedDir, contentKey, defaultCacheDir } from "@kata-ts/guest-image";
import { execa } from "execa";
import { makeHostRoot, ROOT_FILES } from "./host-root.ts";
import { type HostSuite, packagesOf } from "./suites.ts";

/** A host that has never run: its disk, and the kernel that QEMU starts. */
export interface HostImage {
  readonly suite: HostSuite;
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
}

/** Sparse: a file of this size takes what is in it. */
const DISK_SIZE = "8G";

/** Finds or makes a host's image; three minutes for a new one. Deleting it from the cache fetches today's packages. */
export async function hostImage(suite: HostSuite): Promise<HostImage> {
  const dir = await cachedDir(defaultCacheDir(), `lab-host-${suite}-${await imageKey(suite)}`, async (unfinished) => {
    const root = join(unfinished, "root");
    await makeHostRoot(suite, root);
    await copyBoot(root, unfinished);
    await makeDisk(root, join(unfinished, "root.ext4"));
    await rm(root, { recursive: true });
  });
  return { suite, disk: join(dir, "root.ext4"), kernel: join(dir, "vmlinuz"), initrd: join(dir, "initrd") };
}

/** What goes into an image, and how: its packages' names, the files of ours, the sources that put it together. */
async function imageKey(suite: HostSuite): Promise<string> {
  const sources = ["host-root.ts", "host-image.ts"].map((name) => join(import.meta.dirname, name));
  const files = (await readdir(ROOT_FILES)).sort().map((name) => join(ROOT_FILES, name));
  const contents = await Promise.all([...sources, ...files].map((path) => readFile(path)));
  return contentKey(suite, ...packagesOf(suite), ...contents);
}

async function copyBoot(root: string, dir: string): Promise<void> {
  const boot = await readdir(join(root, "boot"));
  const only = (prefix: string): string => {
    const found = boot.filter((name) => name.startsWith(prefix));
    if (found.length !== 1) throw new Error(`the host's /boot has ${String(found.length)} files ${prefix}*, not one`);
    return join(root, "boot", found[0] ?? "");
  };
  await copyFile(only("vmlinuz-"), join(dir, "vmlinuz"));
  await copyFile(only("initrd.img-"), join(dir, "initrd"));
}

async function makeDisk(root: string, disk: string): Promise<void> {
  const features = ["-O", "^metadata_csum,^64bit", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard"];
  await execa("mke2fs", ["-q", "-t", "ext4", "-d", root, "-L", "lab", ...features, disk, DISK_SIZE]);
}
