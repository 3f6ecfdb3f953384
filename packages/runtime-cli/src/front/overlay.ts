import { execFile } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { LinuxError, mountInThread, unmountInThread } from "@kata-ts/linux";

/** In a bundle: where its container's root file system is seen, and what the container has changed of it. */
const ROOTFS = "rootfs";
export const CHANGES = "upper";
const WORK = "work";

/**
 * What is asked of an overlay beyond its directories: links stay links when they are written to, directories can be
 * renamed, and no flush waits for the disk, as nothing of it outlives the container. Then what any kernel has.
 */
const WISHES = ["index=on,redirect_dir=on,metacopy=off,volatile", ""];

export interface OverlayOptions {
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

/**
 * Gives a bundle a root file system of its own that begins as an image's: an overlay, or a copy where no overlay can be mounted.
 *
 * @param lower the image's, which is only read
 * @returns the path of the bundle's
 */
export async function makeRootfs(lower: string, bundle: string, { signal, warn }: OverlayOptions): Promise<string> {
  const rootfs = join(bundle, ROOTFS);
  const refusal = await mountOverlay(lower, bundle);
  if (refusal === undefined) return rootfs;
  warn(
    `no overlay can be mounted below ${bundle} (${refusal}): the image is copied for this container, which takes longer`,
  );
  // With owners, times, links, devices and extended attributes.
  await promisify(execFile)("cp", ["-a", "--", `${lower}/.`, rootfs], { signal });
  return rootfs;
}

/** @returns why not */
async function mountOverlay(lower: string, bundle: string): Promise<string | undefined> {
  const [rootfs, upper, work] = [ROOTFS, CHANGES, WORK].map((name) => join(bundle, name)) as [string, string, string];
  for (const path of [rootfs, upper, work]) mkdirSync(path);
  // The root of an overlay is its upper directory's.
  const { mode, uid, gid } = statSync(lower);
  chownSync(upper, uid, gid);
  chmodSync(upper, mode & 0o7777);
  let refusal: LinuxError | undefined;
  for (const wishes of WISHES) {
    const places = `lowerdir=${escaped(lower)},upperdir=${escaped(upper)},workdir=${escaped(work)}`;
    const options = [places, wishes].filter((each) => each !== "");
    try {
      await mountInThread("overlay", rootfs, "overlay", 0, options.join(","));
      return undefined;
    } catch (error) {
      if (!(error instanceof LinuxError)) throw error;
      refusal = error;
    }
  }
  return refusal?.errno;
}

/** As the kernel reads paths there: a comma would begin an option, and a colon another lower directory. */
function escaped(path: string): string {
  return path.replaceAll(/[\\,:]/g, "\\$&");
}

/** Takes the overlay off a bundle. Idempotent; also for a bundle that has none. */
export async function unmountRootfs(bundle: string): Promise<void> {
  try {
    await unmountInThread(join(bundle, ROOTFS));
  } catch (error) {
    // It is not mounted, or not there.
    if (!(error instanceof LinuxError && ["EINVAL", "ENOENT"].includes(error.errno))) throw error;
  }
}
