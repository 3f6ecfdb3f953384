import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { cachedDir, contentKey } from "./cache.ts";
import { GuestImageError } from "./errors.ts";
import { candidateVersion, fetchPackages, unpackPackage } from "./packages.ts";
import type { Progress } from "./progress.ts";

const SOURCE_PACKAGE = "linux-source-6.1";
/** What compiling it, and crun for the same guest, needs beside the source. */
export const KERNEL_BUILD_PACKAGES: readonly string[] = [
  "gcc",
  "make",
  "flex",
  "bison",
  "bc",
  "libelf-dev",
  "libssl-dev",
  "xz-utils",
  "dpkg-dev",
  "python3",
];

const CONFIG_FILE: string = fileURLToPath(new URL("../kernel/container-guest.config", import.meta.url));
const CACHE_PREFIX = "kernel-";

/** Where the tuned kernel is, or will be, for this configuration; the source's version is not part of the key. */
export async function tunedKernelName(): Promise<string> {
  return `${CACHE_PREFIX}${contentKey(await readFile(CONFIG_FILE), SOURCE_PACKAGE)}`;
}

/**
 * Compiles the tuned kernel from the distribution's kernel source, or finds it in the cache. Takes five to eight
 * minutes on two cores. Returns the path of an uncompressed kernel that QEMU boots through PVH.
 */
export async function buildTunedKernel(cacheDir: string, progress: Progress): Promise<string> {
  const dir = await cachedDir(cacheDir, await tunedKernelName(), async (unfinished) => {
    const version = await candidateVersion(SOURCE_PACKAGE);
    progress(`guest kernel: fetching ${SOURCE_PACKAGE} ${version}`);
    const source = await unpackSource(unfinished);
    progress("guest kernel: compiling (five to eight minutes on two cores)");
    await compile(source, join(unfinished, "vmlinux"), join(unfinished, "config"));
    await execa("rm", ["-rf", join(unfinished, "source")]);
  });
  return join(dir, "vmlinux");
}

async function unpackSource(out: string): Promise<string> {
  const [deb] = await fetchPackages([SOURCE_PACKAGE], join(out, "source"));
  if (deb === undefined) throw new GuestImageError(`${SOURCE_PACKAGE} was not fetched`, "run `apt-get update`");
  await unpackPackage(deb.path, join(out, "source"));
  await execa("tar", ["-xf", join(out, "source/usr/src", `${SOURCE_PACKAGE}.tar.xz`), "-C", join(out, "source")]);
  return join(out, "source", SOURCE_PACKAGE);
}

async function compile(source: string, vmlinux: string, usedConfig: string): Promise<void> {
  // Fixed build identity: the same source and configuration give the same kernel.
  const env = { KBUILD_BUILD_TIMESTAMP: "@1700000000", KBUILD_BUILD_USER: "kata-ts", KBUILD_BUILD_HOST: "kata-ts" };
  const make = async (...args: string[]): Promise<void> => {
    const result = await execa("make", ["-s", ...args], { cwd: source, env, reject: false });
    if (!result.failed) return;
    const tail = result.stderr.slice(-2000);
    throw new GuestImageError(`make ${args.join(" ")}: ${tail}`, `apt-get install ${KERNEL_BUILD_PACKAGES.join(" ")}`);
  };
  await make("tinyconfig");
  await execa("scripts/kconfig/merge_config.sh", ["-m", ".config", CONFIG_FILE], { cwd: source });
  await make("olddefconfig");
  await requireOptions(join(source, ".config"));
  await make(`-j${String(availableParallelism())}`, "vmlinux");
  await execa("strip", ["--strip-all", "-o", vmlinux, join(source, "vmlinux")]);
  await execa("cp", [join(source, ".config"), usedConfig]);
}

// olddefconfig drops what the source does not know or what lacks a dependency, and says nothing.
async function requireOptions(config: string): Promise<void> {
  const given = new Set((await readFile(config, "utf8")).split("\n"));
  const wanted = (await readFile(CONFIG_FILE, "utf8")).split("\n").filter((line) => /^CONFIG_\w+=y$/.test(line));
  const missing = wanted.filter((line) => !given.has(line));
  if (missing.length === 0) return;
  throw new GuestImageError(
    `the kernel source cannot give ${missing.join(", ")}`,
    "use the kernel source of Debian 12",
  );
}
