import { globSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { publishedPackages } from "./pack.ts";
import { ROOT } from "./paths.ts";

/** What a program says of itself; its package.json has the same version, which changesets makes. */
const CONSTANT = /^(export const (?!OCI_)\w*VERSION = ")([^"]*)(")/m;

/** Brings the programs' constants up to date with their packages. @returns the release's version */
export function writeVersions(): string {
  const version = releaseVersion();
  for (const file of constantFiles()) {
    writeFileSync(file, readFileSync(file, "utf8").replace(CONSTANT, `$1${version}$3`));
  }
  return version;
}

/** @throws Error where packages, or programs, are of different versions */
export function checkVersions(): void {
  const version = releaseVersion();
  const others = constantFiles().filter((file) => CONSTANT.exec(readFileSync(file, "utf8"))?.[2] !== version);
  if (others.length === 0) return;
  throw new Error(
    `not of version ${version}: ${others.map((file) => relative(ROOT, file)).join(", ")}; npm run release:version`,
  );
}

/** All packages of a release have one version: they are tested together. */
function releaseVersion(): string {
  const versions = new Map(publishedPackages().map(({ name, directory }) => [name, versionOf(directory)]));
  const [version = "", ...others] = new Set(versions.values());
  if (others.length === 0) return version;
  throw new Error(`packages of different versions: ${[...versions].map((each) => each.join(" ")).join(", ")}`);
}

function versionOf(directory: string): string {
  return (JSON.parse(readFileSync(join(directory, "package.json"), "utf8")) as { version: string }).version;
}

function constantFiles(): string[] {
  const published = new Set(publishedPackages().map(({ directory }) => directory));
  return globSync("packages/*/src/version.ts", { cwd: ROOT })
    .map((file) => join(ROOT, file))
    .filter((file) => published.has(dirname(dirname(file))));
}
