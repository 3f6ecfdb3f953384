import { existsSync } from "node:fs";
import { mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Archive } from "../archive/archive.ts";
import { baseFirst, unpackPackage } from "../archive/packages.ts";
import { cachedDir, contentKey } from "../cache.ts";
import type { Progress } from "../progress.ts";
import { BuildRoot } from "./run.ts";

/** Changes when a root is made in another way than before. */
const FORMAT = "1";

/**
 * A root file system of the suite's own tools, so that what is built does not depend on the host's: the same compiler,
 * linker and mke2fs everywhere. Packages are unpacked, not installed: no script of theirs runs, and the host's list of
 * packages stays as it is.
 */
export async function buildRoot(
  archive: Archive,
  tools: readonly string[],
  cacheDir: string,
  progress: Progress,
): Promise<BuildRoot> {
  const packages = await archive.closure(tools);
  const versions = packages.map(({ name, version }) => `${name}=${version}`).join();
  const key = contentKey(versions, FORMAT);
  const dir = await cachedDir(cacheDir, `build-root-${key}`, async (unfinished) => {
    progress(`guest: fetching ${String(packages.length)} packages to build with`);
    const debs = join(unfinished, "debs");
    const fetched = await archive.fetch(packages, debs);
    const root = join(unfinished, "root");
    for (const { path } of baseFirst(fetched)) await unpackPackage(path, root);
    await linkAlternatives(root);
    for (const place of ["work", "dev", "proc", "tmp", "run"]) await mkdir(join(root, place), { recursive: true });
    await rm(debs, { recursive: true });
    await writeFile(join(unfinished, "packages"), `${versions.replaceAll(",", "\n")}\n`);
  });
  return new BuildRoot(join(dir, "root"), key);
}

/** Names that an installed system has from update-alternatives. */
async function linkAlternatives(root: string): Promise<void> {
  for (const [name, program] of [
    ["awk", "mawk"],
    ["cc", "gcc"],
    ["yacc", "bison.yacc"],
  ] as const) {
    const bin = join(root, "usr/bin");
    if (existsSync(join(bin, program)) && !existsSync(join(bin, name))) await symlink(program, join(bin, name));
  }
}
