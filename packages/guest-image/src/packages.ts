import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { fileDigest } from "./cache.ts";
import { GuestImageError } from "./errors.ts";

export interface FetchedPackage {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly path: string;
}

/**
 * Downloads distribution packages without installing them. apt checks each against the archive's signed index; the
 * digests are returned for the image's manifest.
 */
export async function fetchPackages(names: readonly string[], dir: string): Promise<FetchedPackage[]> {
  await mkdir(dir, { recursive: true });
  // apt drops to an unprivileged user for downloads, which cannot write to a root directory: stay root.
  const download = await execa("apt-get", ["-o", "APT::Sandbox::User=root", "-q", "download", ...names], {
    cwd: dir,
    reject: false,
  });
  if (download.failed) {
    throw new GuestImageError(
      `apt-get download ${names.join(" ")}: ${download.stderr}`,
      "run `apt-get update` and check the machine's package sources",
    );
  }
  return describePackages(dir);
}

/** The packages that lie in a directory, in the order of their names. */
export async function describePackages(dir: string): Promise<FetchedPackage[]> {
  const files = (await readdir(dir)).filter((file) => file.endsWith(".deb")).sort();
  return Promise.all(files.map((file) => describe(join(dir, file))));
}

/** The newest version that the machine's package sources offer. */
export async function candidateVersion(name: string): Promise<string> {
  const { stdout } = await execa("apt-cache", ["policy", name]);
  const version = /Candidate: (\S+)/.exec(stdout)?.[1];
  if (version === undefined || version === "(none)") {
    throw new GuestImageError(`no distribution package ${name}`, "run `apt-get update`; Debian 12 has it");
  }
  return version;
}

/** Unpacks a package below a directory. */
export async function unpackPackage(deb: string, dir: string): Promise<void> {
  await mkdir(dir, { recursive: true });
  await execa("dpkg-deb", ["-x", deb, dir]);
}

async function describe(path: string): Promise<FetchedPackage> {
  const { stdout } = await execa("dpkg-deb", ["-f", path, "Package", "Version"]);
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(stdout)?.[1] ?? "";
  return { name: field("Package"), version: field("Version"), sha256: await fileDigest(path), path };
}
