import { readdir, readlink, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { GuestImageError } from "./errors.ts";

const LIBRARIES = "usr/lib/x86_64-linux-gnu";
const LOADER = "ld-linux-x86-64.so.2";

/** Of what the distribution's packages bring, what the guest runs, below /usr. The rest of them is not in the image. */
export interface NeededPrograms {
  /** With shared libraries. */
  readonly dynamic: readonly string[];
  readonly fixed: readonly string[];
}

/**
 * Removes programs that are not needed, and libraries that no needed one is linked with, from an unpacked root file system.
 *
 * @throws GuestImageError for a program that lacks a library, which would show as a guest that panics at its boot
 */
export async function keepNeeded(root: string, { dynamic, fixed }: NeededPrograms): Promise<void> {
  const programs = new Set([...dynamic, ...fixed]);
  for (const directory of ["bin", "sbin"]) {
    await keep(join(root, "usr", directory), (name) => programs.has(`${directory}/${name}`));
  }
  const libraries: Set<string> = new Set([LOADER]);
  for (const program of dynamic) for (const name of await librariesOf(root, program)) libraries.add(name);
  const directory = join(root, LIBRARIES);
  for (const name of [...libraries]) libraries.add(await readlink(join(directory, name)).catch(() => name));
  await keep(directory, (name) => libraries.has(name));
}

async function librariesOf(root: string, program: string): Promise<string[]> {
  const listed = await execa("chroot", [root, `/lib64/${LOADER}`, "--list", `/usr/${program}`], { reject: false });
  if (listed.failed || listed.stdout.includes("not found")) {
    throw new GuestImageError(`${program} lacks a library: ${listed.stdout}${listed.stderr}`, "a package is missing");
  }
  return [...listed.stdout.matchAll(/=> \S*\/(\S+) \(/g)].flatMap(([, name]) => name ?? []);
}

async function keep(directory: string, isNeeded: (name: string) => boolean): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!isNeeded(name)) await rm(join(directory, name), { recursive: true });
  }
}
