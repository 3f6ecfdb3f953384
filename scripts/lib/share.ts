import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { GuestVersions } from "@kata-ts/guest-image";
import { execa } from "execa";
import { DIST, packageDir } from "./paths.ts";
import { billOfMaterials, type Materials } from "./sbom.ts";

export interface GuestFiles {
  readonly kernelPath: string;
  readonly initrdPath?: string;
  readonly imagePath: string;
  readonly versions: GuestVersions;
}

/** The guest's files and the default configuration, where the installed programs look for them, and what all is made of. */
export async function assembleShare(guest: GuestFiles, materials: Omit<Materials, "versions">): Promise<void> {
  const share = join(DIST, "share", "kata-ts");
  await rm(share, { recursive: true, force: true });
  await mkdir(share, { recursive: true });
  await copySparse(guest.kernelPath, join(share, "vmlinux"));
  if (guest.initrdPath !== undefined) await copyFile(guest.initrdPath, join(share, "initrd"));
  await copySparse(guest.imagePath, join(share, "rootfs.ext4"));
  await writeFile(join(share, "guest-versions.json"), `${JSON.stringify(guest.versions, null, 2)}\n`);
  await writeFile(join(share, "sbom.cdx.json"), await billOfMaterials({ ...materials, versions: guest.versions }));
  await copyFile(join(packageDir("runtime"), "configuration.toml"), join(share, "configuration.toml"));
}

/** What is zeros takes no room: four fifths of the image, and a quarter of the kernel. */
export async function copySparse(from: string, to: string): Promise<void> {
  await execa("cp", ["--sparse=always", from, to]);
}
