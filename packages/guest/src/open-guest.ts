import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseShape } from "@kata-ts/linux/shape";
import { GuestError } from "./errors.ts";
import { type GuestVersions, type Manifest, manifestShape } from "./manifest.ts";
import { findPlatformPackage } from "./platform-package.ts";
import { VerifiedFiles } from "./verified-files.ts";

export interface OpenGuestOptions {
  /** Another directory than that of the installed package, with the same files. */
  readonly directory?: string;
  /**
   * Where it is noted which files were verified; `/var/cache/kata-ts/verified-guests.json` by default. Where it cannot be
   * written, each call reads the files.
   */
  readonly recordFile?: string;
  /** Ends the reading. */
  readonly signal?: AbortSignal;
}

/** What a VM boots. The files are those of the package, and never written to. */
export interface InstalledGuest {
  readonly kernelPath: string;
  readonly imagePath: string;
  /** CycloneDX 1.6: all that is in kernel and image, with versions. */
  readonly billOfMaterialsPath: string;
  readonly versions: GuestVersions;
}

const RECORD = "/var/cache/kata-ts/verified-guests.json";

/**
 * The guest that is installed, once its files have the digests that they were published with. They are computed once, and again
 * when a file has changed.
 *
 * @throws GuestError where none is installed for this machine, or it is damaged; the reason of a signal that is aborted
 */
export async function openGuest(options: OpenGuestOptions = {}): Promise<InstalledGuest> {
  const { signal, recordFile = RECORD } = options;
  signal?.throwIfAborted();
  const directory = options.directory ?? findPlatformPackage();
  const { kernel, image, versions } = readManifest(join(directory, "guest.json"));
  const [kernelPath, imagePath] = [join(directory, "vmlinux"), join(directory, "rootfs.ext4")];
  const described = new Map([
    [kernelPath, kernel],
    [imagePath, image],
  ]);
  await new VerifiedFiles(recordFile).check(described, signal);
  return { kernelPath, imagePath, billOfMaterialsPath: join(directory, "sbom.cdx.json"), versions };
}

function readManifest(file: string): Manifest {
  try {
    return parseShape(manifestShape, readFileSync(file, "utf8"), file);
  } catch (cause) {
    throw new GuestError(
      `the installed guest cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      "install @kata-ts/guest anew: remove node_modules, and npm install",
      { cause },
    );
  }
}
