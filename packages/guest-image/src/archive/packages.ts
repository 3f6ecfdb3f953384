import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { fileDigest } from "../cache.ts";

/** A package as it is kept beside an image. */
export interface PackageEntry {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

export interface FetchedPackage extends PackageEntry {
  readonly path: string;
}

/** The packages that lie in a directory, in the order of their names. */
export async function describePackages(dir: string): Promise<FetchedPackage[]> {
  const files = (await readdir(dir)).filter((file) => file.endsWith(".deb")).sort();
  return Promise.all(files.map((file) => describe(join(dir, file))));
}

/** The links /bin, /lib and so on come before the packages that have files below them. */
export function baseFirst(packages: readonly FetchedPackage[]): FetchedPackage[] {
  return packages.toSorted((a, b) => Number(b.name === "base-files") - Number(a.name === "base-files"));
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
