import { copyFile, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Archive } from "./archive/archive.ts";
import { unpackPackage } from "./archive/packages.ts";
import { withArchive } from "./archive/with-archive.ts";
import { cachedDir, contentKey, defaultCacheDir } from "./cache.ts";
import { GuestImageError } from "./errors.ts";
import { type Progress, silent } from "./progress.ts";

const PACKAGES = ["virtiofsd", "libc6", "libcap-ng0", "libgcc-s1", "libseccomp2"] as const;
/** What virtiofsd is linked with, and the loader that finds it. */
const LIBRARIES = [
  ...["ld-linux-x86-64.so.2", "libc.so.6", "libm.so.6"],
  ...["libgcc_s.so.1", "libseccomp.so.2", "libcap-ng.so.0"],
] as const;
const RECIPE = "1";

export interface FileDaemonOptions {
  /** `$KATA_TS_CACHE`, or `kata-ts` below the user's cache directory, by default. */
  readonly cacheDir?: string;
  readonly onProgress?: Progress;
}

/**
 * virtiofsd of Debian 13, and the libraries that it is linked with: the host's may be the one in C, and the host's
 * libraries may be older.
 *
 * @returns a directory with the program, its libraries and `packages.json`
 */
export async function prepareFileDaemon(options: FileDaemonOptions = {}): Promise<string> {
  const { cacheDir = defaultCacheDir(), onProgress = silent } = options;
  return withArchive(cacheDir, onProgress, (archive) => build(archive, cacheDir, onProgress));
}

async function build(archive: Archive, cacheDir: string, onProgress: Progress): Promise<string> {
  const candidates = await archive.candidates(PACKAGES);
  const key = contentKey(...candidates.map(({ name, version }) => `${name}=${version}`), LIBRARIES.join(), RECIPE);
  return cachedDir(cacheDir, `virtiofsd-${key}`, async (unfinished) => {
    onProgress("virtiofsd: fetching Debian 13's, and its libraries");
    const work = join(unfinished, "work");
    const packages = await archive.fetch(candidates, work);
    for (const { path } of packages) await unpackPackage(path, join(work, "root"));
    await copyFile(join(work, "root/usr/libexec/virtiofsd"), join(unfinished, "virtiofsd"));
    for (const library of LIBRARIES) await copyFile(await find(join(work, "root"), library), join(unfinished, library));
    const manifest = packages.map(({ name, version, sha256 }) => ({ name, version, sha256 }));
    await writeFile(join(unfinished, "packages.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    await rm(work, { recursive: true });
  });
}

/** Packages have libraries below /lib or /usr/lib. */
async function find(root: string, library: string): Promise<string> {
  for (const dir of ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"]) {
    const names: readonly string[] = await readdir(join(root, dir)).catch(() => []);
    if (names.includes(library)) return join(root, dir, library);
  }
  throw new GuestImageError(`no package of ${PACKAGES.join(", ")} has ${library}`, "report it");
}
