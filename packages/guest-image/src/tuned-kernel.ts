import { copyFile, readdir, readFile, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Archive } from "./archive/archive.ts";
import type { Candidate } from "./archive/candidate.ts";
import { unpackPackage } from "./archive/packages.ts";
import { KERNEL_SOURCE, SUITE } from "./archive/suite.ts";
import { buildRoot } from "./build-root/build-root.ts";
import { type BuildRoot, WORK } from "./build-root/run.ts";
import { COMPILERS } from "./build-root/toolsets.ts";
import { cachedDir, contentKey } from "./cache.ts";
import { GuestImageError } from "./errors.ts";
import type { ImageTools } from "./tools.ts";

const CONFIG_FILE: string = fileURLToPath(new URL("../kernel/container-guest.config", import.meta.url));
const PATCHES: string = fileURLToPath(new URL("../kernel/patches", import.meta.url));
const COMPILED_BY = ["gcc-14", "binutils"] as const;
const SOURCE = `${WORK}/${KERNEL_SOURCE}`;
/** Fixed build identity: the same source, configuration and compiler give the same kernel. */
const IDENTITY = { KBUILD_BUILD_TIMESTAMP: "@1700000000", KBUILD_BUILD_USER: "kata-ts", KBUILD_BUILD_HOST: "kata-ts" };

export interface TunedKernel {
  /** Uncompressed: QEMU boots it through PVH. */
  readonly kernelPath: string;
  readonly source: Candidate;
}

/** Where the tuned kernel is, or will be, for this configuration and these versions of the source and of its compiler. */
export async function tunedKernelName(archive: Archive): Promise<string> {
  const versions = (await archive.candidates([KERNEL_SOURCE, ...COMPILED_BY])).map(({ version }) => version);
  const patches = await Promise.all((await patchFiles()).map((name) => readFile(join(PATCHES, name))));
  return `kernel-${contentKey(await readFile(CONFIG_FILE), ...versions, ...patches)}`;
}

/** Changes of our own to the source, in the order of their names. */
async function patchFiles(): Promise<string[]> {
  const files = await readdir(PATCHES).catch(() => []);
  return files.filter((file) => file.endsWith(".patch")).sort();
}

/**
 * Compiles the tuned kernel from the suite's kernel source with the suite's compiler, or finds it in the cache. Takes eight
 * to twenty minutes on two cores.
 */
export async function buildTunedKernel({ archive, cacheDir, progress }: ImageTools): Promise<TunedKernel> {
  const source = await archive.candidate(KERNEL_SOURCE);
  const dir = await cachedDir(cacheDir, await tunedKernelName(archive), async (unfinished) => {
    const root = await buildRoot(archive, COMPILERS, cacheDir, progress);
    progress(`guest kernel: fetching ${source.name} ${source.version}`);
    const work = join(unfinished, "work");
    await unpackSource(archive, source, root, work);
    progress("guest kernel: compiling (eight to twenty minutes on two cores)");
    await compile(root, work);
    await copyFile(join(work, "vmlinux"), join(unfinished, "vmlinux"));
    await copyFile(join(work, KERNEL_SOURCE, ".config"), join(unfinished, "config"));
    await rm(work, { recursive: true });
  });
  return { kernelPath: join(dir, "vmlinux"), source };
}

async function unpackSource(archive: Archive, source: Candidate, root: BuildRoot, work: string): Promise<void> {
  for (const { path } of await archive.fetch([source], work)) await unpackPackage(path, work);
  await root.run(work, ["tar", "-xf", `usr/src/${KERNEL_SOURCE}.tar.xz`]);
}

async function compile(root: BuildRoot, work: string): Promise<void> {
  const run = (...command: string[]): Promise<string> => root.run(work, command, { cwd: SOURCE, env: IDENTITY });
  await copyFile(CONFIG_FILE, join(work, "wanted.config"));
  for (const name of await patchFiles()) {
    await copyFile(join(PATCHES, name), join(work, name));
    await run("patch", "-p1", "--fuzz=0", "--quiet", "-i", `${WORK}/${name}`);
  }
  await run("make", "-s", "tinyconfig");
  await run("scripts/kconfig/merge_config.sh", "-m", ".config", `${WORK}/wanted.config`);
  await run("make", "-s", "olddefconfig");
  await requireOptions(join(work, KERNEL_SOURCE, ".config"));
  await run("make", "-s", `-j${String(availableParallelism())}`, "vmlinux");
  await run("strip", "--strip-all", "-o", `${WORK}/vmlinux`, "vmlinux");
}

// olddefconfig drops what the source does not know or what lacks a dependency, and says nothing.
async function requireOptions(config: string): Promise<void> {
  const given = new Set((await readFile(config, "utf8")).split("\n"));
  const wanted = (await readFile(CONFIG_FILE, "utf8")).split("\n");
  const missing = wanted.filter((line) => /^CONFIG_\w+=(y|\d+)$/.test(line) && !given.has(line));
  const kept = wanted.filter((line) => /^CONFIG_\w+=n$/.test(line) && given.has(line.replace(/n$/, "y")));
  if (missing.length + kept.length === 0) return;
  throw new GuestImageError(
    `the kernel source cannot give ${[...missing, ...kept].join(", ")}`,
    `container-guest.config is for ${KERNEL_SOURCE} of Debian ${SUITE}`,
  );
}
