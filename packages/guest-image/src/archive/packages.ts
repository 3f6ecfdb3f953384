import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { fileDigest } from "../cache.ts";
import { GuestImageError } from "../errors.ts";

/** A package as it is kept beside an image. */
export interface PackageEntry {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

export interface FetchedPackage extends PackageEntry {
  readonly path: string;
}

/** The `packages.json` of a directory of the cache. @throws GuestImageError for one that is damaged */
export async function readPackages(dir: string): Promise<PackageEntry[]> {
  const file = join(dir, "packages.json");
  const json = await readFile(file, "utf8");
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = undefined;
  }
  if (Array.isArray(value) && value.every(isEntry)) return value;
  throw new GuestImageError(`${file} is damaged`, `delete ${dir}: the next build makes it again`);
}

function isEntry(value: unknown): value is PackageEntry {
  const { name, version, sha256 } = Object(value) as Partial<Record<keyof PackageEntry, unknown>>;
  return [name, version, sha256].every((field) => typeof field === "string");
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
