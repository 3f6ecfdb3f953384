/**
 * Finds or builds the guest: a kernel and a root file system, out of distribution packages, a Node binary and the
 * agent's bundle. Everything is cached by content.
 *
 * @example
 * ```ts
 * import { prepareGuest } from "@kata-ts/guest-image";
 *
 * const guest = await prepareGuest({ agentDir, nodeBinary, onProgress: console.log });
 * ```
 *
 * @module
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { defaultCacheDir } from "./cache.ts";
import { fetchDistributionKernel } from "./distribution-kernel.ts";
import { GuestImageError } from "./errors.ts";
import { buildFixedCrun } from "./fixed-crun.ts";
import { type Progress, silent } from "./progress.ts";
import { buildRootfs, type RootfsInputs } from "./rootfs.ts";
import { buildTunedKernel, tunedKernelName } from "./tuned-kernel.ts";

export { cachedDir, contentKey, defaultCacheDir } from "./cache.ts";
export { GuestImageError } from "./errors.ts";
export { type FileDaemonOptions, prepareFileDaemon } from "./file-daemon.ts";
export type { Progress } from "./progress.ts";
export { KERNEL_BUILD_PACKAGES } from "./tuned-kernel.ts";

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
}

/** @throws GuestImageError saying what to install */
export async function prepareGuest(options: GuestOptions): Promise<Guest> {
  const cacheDir = options.cacheDir ?? defaultCacheDir();
  const progress = options.onProgress ?? silent;
  const wanted = options.kernel ?? "auto";
  const tuned = wanted === "auto" ? await tunedKernelIsBuilt(cacheDir) : wanted === "tuned";
  if (tuned) return tunedGuest(options, cacheDir, progress);
  const imagePath = await buildRootfs(options, cacheDir, progress);
  return { kernel: "distribution", ...(await fetchDistributionKernel(cacheDir, progress)), imagePath };
}

async function tunedGuest(options: GuestOptions, cacheDir: string, progress: Progress): Promise<Guest> {
  const kernelPath = await buildTunedKernel(cacheDir, progress);
  const crunBinary = await fixedCrun(cacheDir, progress);
  const inputs = { ...options, ...(crunBinary !== undefined && { crunBinary }) };
  return { kernel: "tuned", kernelPath, imagePath: await buildRootfs(inputs, cacheDir, progress) };
}

/** The distribution's crun does as well, slower: an archive without sources keeps nobody from a guest. */
async function fixedCrun(cacheDir: string, progress: Progress): Promise<string | undefined> {
  try {
    return await buildFixedCrun(cacheDir, progress);
  } catch (error) {
    if (!(error instanceof GuestImageError)) throw error;
    progress(`guest image: crun as the distribution has it, which is slower: ${error.message}`);
    return undefined;
  }
}

/** Whether `auto` means the tuned kernel. */
export async function tunedKernelIsBuilt(cacheDir: string = defaultCacheDir()): Promise<boolean> {
  return existsSync(join(cacheDir, await tunedKernelName()));
}
