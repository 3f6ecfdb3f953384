import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Archive } from "./archive/archive.ts";
import { type PackageEntry, readPackages, unpackPackage } from "./archive/packages.ts";
import { withArchive } from "./archive/with-archive.ts";
import { buildRoot } from "./build-root/build-root.ts";
import { WORK } from "./build-root/run.ts";
import { ELF_TOOLS } from "./build-root/toolsets.ts";
import { cachedDir, contentKey, defaultCacheDir, fileDigest } from "./cache.ts";
import { type Progress, silent } from "./progress.ts";

/** The one library of Node's that a small machine lacks. It asks for glibc 2.14, Node itself for 2.28. */
const LIBRARY = "libatomic.so.1";
const PACKAGE = "libatomic1";
const RECIPE = "2";

export interface PortableNodeOptions {
  /** A Node binary for linux-x64. */
  readonly nodeBinary: string;
  /** `$KATA_TS_CACHE`, or `kata-ts` below the user's cache directory, by default. */
  readonly cacheDir?: string;
  readonly onProgress?: Progress;
}

export interface PortableNode {
  /** With `node` and `libatomic.so.1`, which belong in one place. */
  readonly directory: string;
  /** What the library is from. */
  readonly packages: readonly PackageEntry[];
}

/**
 * Node, and the library that it needs beside those of every distribution. The program looks for libraries in its own
 * directory first, wherever that is: an environment that says so would reach what Node starts.
 */
export async function preparePortableNode(options: PortableNodeOptions): Promise<PortableNode> {
  const { nodeBinary, cacheDir = defaultCacheDir(), onProgress = silent } = options;
  const directory = await withArchive(cacheDir, onProgress, (archive) =>
    build(archive, nodeBinary, cacheDir, onProgress),
  );
  return { directory, packages: await readPackages(directory) };
}

async function build(archive: Archive, nodeBinary: string, cacheDir: string, progress: Progress): Promise<string> {
  const library = await archive.candidate(PACKAGE);
  const root = await buildRoot(archive, ELF_TOOLS, cacheDir, progress);
  const key = contentKey(await fileDigest(nodeBinary), library.version, root.key, RECIPE);
  return cachedDir(cacheDir, `node-${key}`, async (unfinished) => {
    const work = join(unfinished, "work");
    await mkdir(work);
    const packages = await archive.fetch([library], work);
    for (const { path } of packages) await unpackPackage(path, work);
    await copyFile(join(work, "usr/lib/x86_64-linux-gnu", LIBRARY), join(unfinished, LIBRARY));
    await copyFile(nodeBinary, join(unfinished, "node"));
    await root.run(unfinished, ["patchelf", "--set-rpath", "$ORIGIN", `${WORK}/node`]);
    const manifest = packages.map(({ name, version, sha256 }) => ({ name, version, sha256 }));
    await writeFile(join(unfinished, "packages.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    await rm(work, { recursive: true });
  });
}
