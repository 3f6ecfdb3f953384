import { cp, mkdir, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import type { Archive } from "./archive/archive.ts";
import type { Candidate } from "./archive/candidate.ts";
import { withArchive } from "./archive/with-archive.ts";
import { buildRoot } from "./build-root/build-root.ts";
import { type BuildRoot, WORK } from "./build-root/run.ts";
import { COMPILERS } from "./build-root/toolsets.ts";
import { cachedDir, contentKey, defaultCacheDir, treeDigest } from "./cache.ts";
import { type Progress, silent } from "./progress.ts";
import { unpackSource } from "./unpack-source.ts";

/** QuickJS without its own library of functions for programs, in whose place `native` is. */
const ENGINE = ["quickjs", "cutils", "dtoa", "libregexp", "libunicode"] as const;
const ENGINE_FLAGS = ["-O2", "-D_GNU_SOURCE", '-DCONFIG_VERSION="2025-04-26"', "-fwrapv", "-w"] as const;
const OWN_FLAGS = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", `-isystem${WORK}/source`] as const;
const LIBRARIES = ["-lm", "-lpthread"] as const;
/** The one that checks is not static: its checks are in shared libraries. */
const CHECKED_FLAGS = [
  "-g",
  "-fsanitize=address,undefined",
  "-fno-sanitize-recover",
  "-fno-omit-frame-pointer",
] as const;

/** What that one needs beside it: the host's libraries may be older than those of the suite. */
const LOADER = "ld-linux-x86-64.so.2";
const SHARED = ["libasan.so.8", "libubsan.so.1", "libstdc++.so.6", "libgcc_s.so.1", "libm.so.6", "libc.so.6"] as const;
const LAUNCHER = `#!/bin/sh
directory=\${0%/*}
exec "$directory/lib/${LOADER}" --library-path "$directory/lib" "$directory/lib/kata-js-checked" "$@"
`;

export interface ScriptEngineOptions {
  /** The directory of the C sources that QuickJS is linked with: `packages/quickjs/native`. */
  readonly native: string;
  /** `$KATA_TS_CACHE`, or `kata-ts` below the user's cache directory, by default. */
  readonly cacheDir?: string;
  readonly onProgress?: Progress;
}

export interface ScriptEngine {
  /** A static program. */
  readonly program: string;
  /** The source that it is compiled of. */
  readonly source: Candidate;
}

/**
 * Compiles QuickJS of Debian 13 with C sources of ours, or finds it in the cache: half a minute.
 *
 * @throws GuestImageError with the compiler's words
 */
export async function prepareScriptEngine(options: ScriptEngineOptions): Promise<ScriptEngine> {
  return inWorkshop(options, async (workshop) => {
    return { program: join(await engine(workshop), "kata-js"), source: workshop.quickjs };
  });
}

/**
 * The same for tests: a program that ends at an error of memory or undefined behaviour of those C sources.
 *
 * @returns its path
 * @throws GuestImageError with the compiler's words
 */
export async function prepareCheckedScriptEngine(options: ScriptEngineOptions): Promise<string> {
  return inWorkshop(options, async (workshop) => join(await checkedEngine(workshop), "kata-js-checked"));
}

/** What both are made with. */
interface Workshop {
  readonly archive: Archive;
  readonly quickjs: Candidate;
  readonly native: string;
  readonly cacheDir: string;
  readonly progress: Progress;
}

function inWorkshop<T>(options: ScriptEngineOptions, body: (workshop: Workshop) => Promise<T>): Promise<T> {
  const { native, cacheDir = defaultCacheDir(), onProgress: progress = silent } = options;
  return withArchive(cacheDir, progress, async (archive) =>
    body({ archive, quickjs: await archive.candidate("quickjs"), native, cacheDir, progress }),
  );
}

/** The program, and beside it what the other one is linked of. */
async function engine({ archive, quickjs, native, cacheDir, progress }: Workshop): Promise<string> {
  const root = await buildRoot(archive, COMPILERS, cacheDir, progress);
  const recipe = JSON.stringify([ENGINE, ENGINE_FLAGS, OWN_FLAGS, LIBRARIES]);
  const key = contentKey(quickjs.version, root.key, await treeDigest(native), recipe);
  return cachedDir(cacheDir, `script-engine-${key}`, async (unfinished) => {
    progress(`script engine: compiling QuickJS ${quickjs.version} (half a minute)`);
    const work = join(unfinished, "work");
    await unpackSource(await archive.fetchSource(quickjs, work), root, work);
    await Promise.all(
      ENGINE.map((name) => root.run(work, ["gcc", ...ENGINE_FLAGS, "-c", `source/${name}.c`, "-o", `${name}.o`])),
    );
    await cp(native, join(work, "native"), { recursive: true });
    await link(root, work, [`-DKATA_BUILD="${key}"`, "-static", "-o", "kata-js"]);
    for (const name of ENGINE) await rename(join(work, `${name}.o`), join(unfinished, `${name}.o`));
    await mkdir(join(unfinished, "source"));
    for (const header of await headersOf(work)) await rename(join(work, header), join(unfinished, header));
    await rename(join(work, "kata-js"), join(unfinished, "kata-js"));
    await rm(work, { recursive: true });
  });
}

async function headersOf(work: string): Promise<string[]> {
  return (await readdir(join(work, "source")))
    .filter((file) => file.endsWith(".h"))
    .map((file) => join("source", file));
}

async function checkedEngine(workshop: Workshop): Promise<string> {
  const { archive, native, cacheDir, progress } = workshop;
  const made = await engine(workshop);
  const root = await buildRoot(archive, COMPILERS, cacheDir, progress);
  const key = contentKey(basename(made), JSON.stringify([CHECKED_FLAGS, SHARED, LAUNCHER]));
  return cachedDir(cacheDir, `checked-script-engine-${key}`, async (unfinished) => {
    progress("script engine: compiling the one that checks memory");
    const work = join(unfinished, "work");
    await cp(made, work, { recursive: true });
    await cp(native, join(work, "native"), { recursive: true });
    await mkdir(join(work, "lib"));
    await link(root, work, [`-DKATA_BUILD="${key}"`, ...CHECKED_FLAGS, "-o", "lib/kata-js-checked"]);
    const libraries = SHARED.map((name) => `/usr/lib/x86_64-linux-gnu/${name}`);
    await root.run(work, ["cp", "--dereference", `/usr/lib64/${LOADER}`, ...libraries, `${WORK}/lib`]);
    await rename(join(work, "lib"), join(unfinished, "lib"));
    await writeFile(join(unfinished, "kata-js-checked"), LAUNCHER, { mode: 0o755 });
    await rm(work, { recursive: true });
  });
}

async function link(root: BuildRoot, work: string, flags: readonly string[]): Promise<void> {
  const own = (await readdir(join(work, "native"))).filter((file) => file.endsWith(".c")).sort();
  const files = [...own.map((file) => `native/${file}`), ...ENGINE.map((name) => `${name}.o`)];
  await root.run(work, ["gcc", ...OWN_FLAGS, ...flags, ...files, ...LIBRARIES]);
}
