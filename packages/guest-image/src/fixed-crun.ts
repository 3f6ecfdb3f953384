import { chmod, copyFile, mkdir, rm, symlink } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { buildRoot } from "./build-root/build-root.ts";
import { type BuildRoot, WORK } from "./build-root/run.ts";
import { COMPILERS } from "./build-root/toolsets.ts";
import { cachedDir, contentKey } from "./cache.ts";
import { GuestImageError } from "./errors.ts";
import type { ImageTools } from "./tools.ts";
import { unpackSource } from "./unpack-source.ts";

/** As the distribution configures it, but for what the guest has not (systemd, CRIU), and for what it would find by chance. */
const CONFIGURE = [
  ...["--disable-systemd", "--disable-criu", "--disable-shared", "--enable-static"],
  "ac_cv_search_gcry_check_version=no",
] as const;
const LINKED = `-L${WORK}/lib -no-pie`;
const FLAGS = [
  ...["CPPFLAGS=-I/usr/include/yajl", "CFLAGS=-O2 -fno-pie", `LDFLAGS=${LINKED}`, "LIBS=-lm"],
  ...["YAJL_CFLAGS=-I/usr/include", "YAJL_LIBS=-lyajl"],
] as const;
/** Features that the agent relies on, as `crun --version` prints them. */
const FEATURES = ["+CAP", "+SECCOMP", "+EBPF", "+YAJL"] as const;
const SOURCE = `${WORK}/source`;

/**
 * Compiles the suite's crun to lie at fixed addresses, libraries included, or finds it in the cache: a minute on
 * two cores. An emulator that has translated it once knows it in each later call; the distribution's is somewhere else
 * each time, and two thirds of what an exec has to translate. Only crun's own code: what it starts is as before.
 */
export async function buildFixedCrun({ archive, cacheDir, progress }: ImageTools): Promise<string> {
  const root = await buildRoot(archive, COMPILERS, cacheDir, progress);
  const crun = await archive.candidate("crun");
  const key = contentKey(crun.version, root.key, CONFIGURE.join(), FLAGS.join());
  const dir = await cachedDir(cacheDir, `crun-${key}`, async (unfinished) => {
    progress(`guest image: compiling crun ${crun.version} (a minute on two cores)`);
    const work = join(unfinished, "work");
    await unpackSource(await archive.fetchSource(crun, work), root, work);
    await compile(root, work);
    await copyFile(join(work, "crun"), join(unfinished, "crun"));
    await rm(work, { recursive: true });
  });
  return join(dir, "crun");
}

async function compile(root: BuildRoot, work: string): Promise<void> {
  const run = (...command: string[]): Promise<string> => root.run(work, command, { cwd: SOURCE });
  // Debian's name for the static library is not the one that crun links with.
  await mkdir(join(work, "lib"));
  await symlink("/usr/lib/x86_64-linux-gnu/libyajl_s.a", join(work, "lib/libyajl.a"));
  await run("./configure", "-q", ...CONFIGURE, ...FLAGS);
  await run("make", "-s", `-j${String(availableParallelism())}`, `LDFLAGS=${LINKED} -all-static`);
  await requireFeatures(await run("./crun", "--version"));
  await run("strip", "-o", `${WORK}/crun`, "crun");
}

async function requireFeatures(said: string): Promise<void> {
  const missing = FEATURES.filter((feature) => !said.includes(feature));
  if (missing.length === 0) return;
  throw new GuestImageError(`the compiled crun lacks ${missing.join(" ")}`, "its configure found other libraries");
}

/** Puts it in the place of the distribution's. */
export async function installCrun(crun: string, staging: string): Promise<void> {
  await copyFile(crun, join(staging, "usr/bin/crun"));
  await chmod(join(staging, "usr/bin/crun"), 0o755);
}
