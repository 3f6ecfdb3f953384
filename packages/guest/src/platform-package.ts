import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { parseShape } from "@kata-ts/linux/shape";
import { GuestError } from "./errors.ts";
import { packageShape } from "./manifest.ts";

/** Those that there is a guest for, as Node names platform and architecture. */
const PUBLISHED: ReadonlySet<string> = new Set(["linux-x64"]);

const OWN_MANIFEST: string = join(import.meta.dirname, "..", "package.json");

/** Where a package's file is. @throws Error of Node with a code */
export type Resolve = (specifier: string) => string;

/**
 * Finds the package that holds the guest's files for a machine. It is of the same release as this one: the kernel's drivers, the
 * agent in the image and the library that calls it are tested together.
 *
 * @param machine platform and architecture, such as `linux-x64`
 * @returns the directory with its files
 * @throws GuestError
 */
export function findPlatformPackage(
  machine = `${process.platform}-${process.arch}`,
  resolve: Resolve = createRequire(import.meta.url).resolve,
): string {
  const name = `@kata-ts/guest-${machine}`;
  if (!PUBLISHED.has(machine)) {
    throw new GuestError(
      `there is no guest for ${machine}, only for ${[...PUBLISHED].join(", ")}`,
      "pass a kernel and an image for this machine: vm.kernelPath and vm.imagePath",
    );
  }
  const manifest = manifestOf(name, resolve);
  const [found, own] = [manifest, OWN_MANIFEST].map(versionOf);
  if (found === own) return join(dirname(manifest), "dist");
  throw new GuestError(
    `${name} is of version ${String(found)}, and @kata-ts/guest of ${String(own)}`,
    "install both anew, with one version: npm install @kata-ts/guest",
  );
}

function manifestOf(name: string, resolve: Resolve): string {
  try {
    return resolve(`${name}/package.json`);
  } catch (cause) {
    throw new GuestError(
      `${name} is not installed, which has the files of @kata-ts/guest for this machine`,
      "it is an optional dependency: npm install --include=optional @kata-ts/guest",
      { cause },
    );
  }
}

function versionOf(manifest: string): string {
  return parseShape(packageShape, readFileSync(manifest, "utf8"), manifest).version;
}
