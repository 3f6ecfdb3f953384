import { cp, lstat, mkdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Archive } from "./archive/archive.ts";
import type { Candidate } from "./archive/candidate.ts";
import { unpackPackage } from "./archive/packages.ts";
import { withArchive } from "./archive/with-archive.ts";
import { cachedDir, contentKey, defaultCacheDir } from "./cache.ts";
import { GuestImageError } from "./errors.ts";
import { type Progress, silent } from "./progress.ts";

/** Changes when the directory is made in another way than before. */
const RECIPE = "1";
const DOCUMENTS = "usr/share/doc";
const COMMON = "usr/share/common-licenses";
/** Of the kernel's source package, and much smaller than what has the source: its licence is the same file. */
const OF_KERNEL = "linux-libc-dev";

export interface LicenceOptions {
  /** What the guest was made of. */
  readonly versions: { readonly kernel: Candidate; readonly packages: readonly Candidate[] };
  /** Source packages that programs of the guest are compiled of, by the name of a package that is made of each. */
  readonly compiled: readonly Candidate[];
  /** `$KATA_TS_CACHE`, or `kata-ts` below the user's cache directory, by default. */
  readonly cacheDir?: string;
  readonly onProgress?: Progress;
}

/**
 * What the packages of Debian say of their licences that a guest is made of.
 *
 * @returns a directory with a file for each package, by its name, and below `common` the texts that these refer to
 * @throws GuestImageError for a package that says nothing
 */
export async function prepareLicences(options: LicenceOptions): Promise<string> {
  const { cacheDir = defaultCacheDir(), onProgress = silent } = options;
  return withArchive(cacheDir, onProgress, (archive) => gather(archive, options, cacheDir, onProgress));
}

async function gather(
  archive: Archive,
  { versions: { kernel, packages }, compiled }: LicenceOptions,
  cacheDir: string,
  progress: Progress,
): Promise<string> {
  const wanted = [...packages, ...compiled];
  const key = contentKey(...[kernel, ...wanted].map(({ name, version }) => `${name}=${version}`), RECIPE);
  return cachedDir(cacheDir, `licences-${key}`, async (unfinished) => {
    progress(`guest: fetching the licences of ${String(wanted.length + 1)} packages`);
    const work = join(unfinished, "work");
    const unpack = async (some: readonly Candidate[], name: string): Promise<void> => {
      for (const { path } of await archive.fetch(some, join(work, name))) await unpackPackage(path, join(work, "root"));
    };
    await unpack([...wanted, await archive.candidate(OF_KERNEL)], "packages");
    const fetchOne = async (name: string): Promise<void> => unpack([await archive.candidate(name)], name);
    const names = new Map([...wanted.map(({ name }) => [name, name] as const), [OF_KERNEL, kernel.name]]);
    await copyLicences(join(work, "root"), unfinished, names, fetchOne);
    await rm(work, { recursive: true });
  });
}

/**
 * Copies the licences of packages, with the texts that these refer to.
 *
 * @param root where the packages are unpacked; @param names of the packages, and what their files are called
 * @param unpackMore unpacks a package there whose documents another one refers to
 */
export async function copyLicences(
  root: string,
  target: string,
  names: ReadonlyMap<string, string>,
  unpackMore: (name: string) => Promise<void>,
): Promise<void> {
  const common: Set<string> = new Set();
  for (const [name, as] of names) {
    const text = await licenceOf(root, name, unpackMore);
    await writeFile(join(target, as), text, { mode: 0o644 });
    for (const [, found = ""] of text.matchAll(/common-licenses\/([\w.+-]*\w)/g)) common.add(found);
  }
  await mkdir(join(target, "common"), { recursive: true });
  for (const name of [...common].sort()) {
    // Some are names for the newest version of a licence.
    const to = join(target, "common", name);
    await cp(join(root, COMMON, name), to, { dereference: true }).catch((error: unknown) => {
      throw new GuestImageError(
        `base-files has no licence ${name}, which a package refers to: ${String(error)}`,
        "report it",
      );
    });
  }
}

/** A package may have the documents of another one of the same source, by a link. */
async function licenceOf(root: string, name: string, unpackMore: (name: string) => Promise<void>): Promise<string> {
  const path = join(root, DOCUMENTS, name);
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSymbolicLink() === true) {
    const other = basename(await readlink(path));
    const isThere = await lstat(join(root, DOCUMENTS, other)).catch(() => undefined);
    if (isThere === undefined) await unpackMore(other);
    return await readLicence(root, other);
  }
  return await readLicence(root, name);
}

async function readLicence(root: string, name: string): Promise<string> {
  try {
    return await readFile(join(root, DOCUMENTS, name, "copyright"), "utf8");
  } catch (error) {
    throw new GuestImageError(`the package ${name} says nothing of its licence: ${String(error)}`, "report it");
  }
}
