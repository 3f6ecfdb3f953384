import { chmod, copyFile, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { cachedDir, contentKey } from "./cache.ts";
import { GuestImageError } from "./errors.ts";
import { candidateVersion, fetchPackages, unpackPackage } from "./packages.ts";
import type { Progress } from "./progress.ts";

/** crun's libraries, to be linked into it. They are fetched and not installed. */
const LIBRARIES = ["libcap-dev", "libseccomp-dev", "libyajl-dev"] as const;
/** As the distribution configures it, but for what the guest has not (systemd, CRIU), and for what it would find by chance. */
const CONFIGURE = [
  ...["--disable-systemd", "--disable-criu", "--disable-shared", "--enable-static"],
  "ac_cv_search_gcry_check_version=no",
] as const;
/** What the agent relies on, as `crun --version` tells it. */
const FEATURES = ["+CAP", "+SECCOMP", "+EBPF", "+YAJL"] as const;
const RECIPE = "1";

/**
 * Compiles the distribution's crun to lie at fixed addresses, libraries included, or finds it in the cache: a minute on
 * two cores. An emulator that has translated it once knows it in each later call; the distribution's is somewhere else
 * each time, and two thirds of what an exec has to translate. Only crun's own code: what it starts is as before.
 */
export async function buildFixedCrun(cacheDir: string, progress: Progress): Promise<string> {
  const version = await candidateVersion("crun");
  const key = contentKey(version, LIBRARIES.join(), CONFIGURE.join(), RECIPE);
  const dir = await cachedDir(cacheDir, `crun-${key}`, async (unfinished) => {
    progress(`guest image: compiling crun ${version} (a minute on two cores)`);
    const work = join(unfinished, "work");
    const source = await fetchSource(version, work);
    await compile(source, await fetchLibraries(work));
    await requireFeatures(join(source, "crun"));
    await execa("strip", ["-o", join(unfinished, "crun"), join(source, "crun")]);
    await execa("rm", ["-rf", work]);
  });
  return join(dir, "crun");
}

/** From where the machine has its packages; its own list of sources stays as it is. */
async function fetchSource(version: string, work: string): Promise<string> {
  const state = join(work, "apt");
  await mkdir(join(state, "lists/partial"), { recursive: true });
  await writeFile(join(state, "sources.list"), await sourceLine(version));
  const apt = [
    ...["-q", "-o", `Dir::Etc::sourcelist=${join(state, "sources.list")}`, "-o", "Dir::Etc::sourceparts=-"],
    ...["-o", `Dir::State::lists=${join(state, "lists")}`, "-o", "APT::Sandbox::User=root"],
  ];
  await run("apt-get", [...apt, "update"], work);
  await run("apt-get", [...apt, "source", `crun=${version}`], work);
  const unpacked = (await readdir(work, { withFileTypes: true })).find(
    (entry) => entry.isDirectory() && entry.name.startsWith("crun-"),
  );
  if (unpacked === undefined) throw new GuestImageError("the source of crun was not unpacked", "install dpkg-dev");
  return join(work, unpacked.name);
}

async function sourceLine(version: string): Promise<string> {
  const { stdout } = await execa("apt-cache", ["madison", "crun"]);
  const found = stdout.split("\n").find((line) => line.includes(` ${version} `));
  const [, site, suite, component] = /\| (\S+) (\S+)\/(\S+) \S+ Packages/.exec(found ?? "") ?? [];
  if (site === undefined || suite === undefined || component === undefined) {
    throw new GuestImageError(`no archive has crun ${version}`, "run `apt-get update`");
  }
  return `deb-src ${site} ${suite} ${component}\n`;
}

/** Returns the directory that they are unpacked below. */
async function fetchLibraries(work: string): Promise<string> {
  const root = join(work, "libraries");
  for (const deb of await fetchPackages(LIBRARIES, join(work, "debs"))) await unpackPackage(deb.path, root);
  // Debian's name for the static one is not the one that configure looks for.
  const directory = join(root, "usr/lib/x86_64-linux-gnu");
  await symlink("libyajl_s.a", join(directory, "libyajl.a"));
  for (const file of await readdir(directory)) {
    if (file.includes(".so")) await execa("rm", [join(directory, file)]);
  }
  return join(root, "usr");
}

async function compile(source: string, usr: string): Promise<void> {
  const include = `-I${join(usr, "include")}`;
  const linked = `-L${join(usr, "lib/x86_64-linux-gnu")} -no-pie`;
  const flags = [
    ...[`CPPFLAGS=${include} -I${join(usr, "include/yajl")}`, "CFLAGS=-O2 -fno-pie", `LDFLAGS=${linked}`, "LIBS=-lm"],
    ...[`YAJL_CFLAGS=${include}`, `YAJL_LIBS=${linked} -lyajl`],
  ];
  await run("./configure", ["-q", ...CONFIGURE, ...flags], source);
  await run("make", ["-s", `-j${String(availableParallelism())}`, `LDFLAGS=${linked} -all-static`], source);
}

async function requireFeatures(crun: string): Promise<void> {
  const { stdout } = await execa(crun, ["--version"]);
  const missing = FEATURES.filter((feature) => !stdout.includes(feature));
  if (missing.length === 0) return;
  throw new GuestImageError(`the compiled crun lacks ${missing.join(" ")}`, "install libc6-dev and linux-libc-dev");
}

async function run(program: string, args: readonly string[], cwd: string): Promise<void> {
  const result = await execa(program, args, { cwd, reject: false, stdin: "ignore", timeout: 600_000 });
  if (!result.failed) return;
  const said = `${result.stdout}\n${result.stderr}`.slice(-2000);
  throw new GuestImageError(
    `${program}: ${said}`,
    "crun needs a compiler, dpkg-dev, python3 and the archive's sources",
  );
}

/** Puts it in the place of the distribution's. */
export async function installCrun(crun: string, staging: string): Promise<void> {
  await copyFile(crun, join(staging, "usr/bin/crun"));
  await chmod(join(staging, "usr/bin/crun"), 0o755);
}
