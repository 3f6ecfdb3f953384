/**
 * Finds or builds the guest: a kernel and a root file system, out of distribution packages and the agent's
 * bundle. Everything is cached by content.
 *
 * @example
 * ```ts
 * import { prepareGuest } from "@kata-ts/guest-image";
 *
 * const guest = await prepareGuest({ agentDir, onProgress: console.log });
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Archive } from "./archive/archive.ts";
import type { Candidate } from "./archive/candidate.ts";
import type { Newer } from "./archive/newer.ts";
import type { PackageEntry } from "./archive/packages.ts";
import { SUITE } from "./archive/suite.ts";
import { withArchive } from "./archive/with-archive.ts";
import { buildRoot } from "./build-root/build-root.ts";
import { IMAGE_TOOLS } from "./build-root/toolsets.ts";
import { defaultCacheDir } from "./cache.ts";
import { fetchDistributionKernel } from "./distribution-kernel.ts";
import { buildFixedCrun } from "./fixed-crun.ts";
import { type Progress, silent } from "./progress.ts";
import { buildRootfs, type RootfsInputs } from "./rootfs.ts";
import type { ImageTools } from "./tools.ts";
import { buildTunedKernel, tunedKernelName } from "./tuned-kernel.ts";

export type { Candidate } from "./archive/candidate.ts";
export type { Newer } from "./archive/newer.ts";
export type { PackageEntry } from "./archive/packages.ts";
export { cachedDir, contentKey, defaultCacheDir } from "./cache.ts";
export { GuestImageError } from "./errors.ts";
export { type FileDaemonOptions, prepareFileDaemon } from "./file-daemon.ts";
export { type LicenceOptions, prepareLicences } from "./licences.ts";
export { type PortableNode, type PortableNodeOptions, preparePortableNode } from "./portable-node.ts";
export type { Progress } from "./progress.ts";
export {
  prepareCheckedScriptEngine,
  prepareScriptEngine,
  type ScriptEngine,
  type ScriptEngineOptions,
} from "./script-engine.ts";

/**
 * `tuned`: our configuration, compiled once (minutes), boots fastest. `distribution`: the distribution's binary, at
 * once. `auto`: the tuned one if it was built before, else the distribution's.
 */
export type KernelChoice = "auto" | "tuned" | "distribution";

export interface GuestOptions extends RootfsInputs {
  readonly kernel?: KernelChoice;
  /** `$KATA_TS_CACHE`, or `kata-ts` below the user's cache directory, by default. */
  readonly cacheDir?: string;
  readonly onProgress?: Progress;
}

export interface Guest {
  readonly kernel: "tuned" | "distribution";
  readonly kernelPath: string;
  readonly initrdPath?: string;
  readonly imagePath: string;
  readonly versions: GuestVersions;
}

/** What a guest was made of. */
export interface GuestVersions {
  /** The release of Debian. */
  readonly suite: string;
  /** The day of the archive's index, as YYYY-MM-DD: the versions are those of that day. */
  readonly day: string;
  readonly kernel: Candidate;
  readonly packages: readonly PackageEntry[];
}

/** @throws GuestImageError saying what to install */
export async function prepareGuest(options: GuestOptions): Promise<Guest> {
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  const progress = options.onProgress ?? silent;
  return withArchive(cacheDir, progress, (archive) => guestFrom(archive, options, cacheDir, progress));
}

/** Names the archive's index that guests are made by; undefined before the first one. */
export async function archiveIndex(cacheDir: string = defaultCacheDir()): Promise<string | undefined> {
  return (await Archive.present(cacheDir))?.index();
}

/** Fetches the archive's index anew, so that the next guest has today's versions. */
export async function refreshArchive(options: Pick<GuestOptions, "cacheDir" | "onProgress"> = {}): Promise<void> {
  await Archive.refresh(options.cacheDir ?? defaultCacheDir(), options.onProgress ?? silent);
}

/**
 * What Debian has newer today than what a guest was made of. The index that the next guest is made by stays as it is.
 *
 * @throws GuestImageError with apt's words where the archive cannot be asked
 */
export async function newerPackages(versions: GuestVersions): Promise<Newer[]> {
  const directory = await mkdtemp(join(tmpdir(), "kata-ts-archive-"));
  try {
    const archive = await Archive.open(directory, silent);
    return await archive.newer([versions.kernel, ...versions.packages]);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function guestFrom(
  archive: Archive,
  options: GuestOptions,
  cacheDir: string,
  progress: Progress,
): Promise<Guest> {
  const wanted = options.kernel ?? "auto";
  const tuned = wanted === "auto" ? await tunedKernelIsBuilt(cacheDir) : wanted === "tuned";
  const root = await buildRoot(archive, IMAGE_TOOLS, cacheDir, progress);
  const tools = { archive, root, cacheDir, progress };
  return tuned ? tunedGuest(options, tools) : distributionGuest(options, tools);
}

async function tunedGuest(options: GuestOptions, tools: ImageTools): Promise<Guest> {
  const { kernelPath, source } = await buildTunedKernel(tools);
  const crunBinary = await buildFixedCrun(tools);
  const { imagePath, packages } = await buildRootfs({ ...options, crunBinary }, tools);
  return { kernel: "tuned", kernelPath, imagePath, versions: await versionsOf(tools, source, packages) };
}

async function distributionGuest(options: GuestOptions, tools: ImageTools): Promise<Guest> {
  const { package: kernel, ...paths } = await fetchDistributionKernel(tools);
  const { imagePath, packages } = await buildRootfs(options, tools);
  return { kernel: "distribution", ...paths, imagePath, versions: await versionsOf(tools, kernel, packages) };
}

async function versionsOf(
  { archive }: ImageTools,
  kernel: Candidate,
  packages: readonly PackageEntry[],
): Promise<GuestVersions> {
  return { suite: SUITE, day: await archive.day(), kernel, packages };
}

/** Whether `auto` means the tuned kernel. */
export async function tunedKernelIsBuilt(cacheDir: string = defaultCacheDir()): Promise<boolean> {
  const archive = await Archive.present(cacheDir);
  return archive !== undefined && existsSync(join(cacheDir, await tunedKernelName(archive)));
}
