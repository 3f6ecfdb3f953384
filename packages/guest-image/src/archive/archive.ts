import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { contentKey } from "../cache.ts";
import { GuestImageError } from "../errors.ts";
import { withLock } from "../lock.ts";
import type { Progress } from "../progress.ts";
import type { Candidate } from "./candidate.ts";
import { type Newer, newerIn } from "./newer.ts";
import { describePackages, type FetchedPackage } from "./packages.ts";
import { KEYRING, SUITE, sourcesKey, sourcesList } from "./suite.ts";

export interface SourceFiles {
  /** The description of the source package (.dsc), or upstream's tarball. */
  readonly file: string;
  readonly patched: boolean;
}

/**
 * Debian's archive as apt sees it from a directory of our own: its list of sources, its index, an empty list of
 * installed packages. Nothing of the host's but proxies and credentials counts, and nothing of the host's changes.
 */
export class Archive {
  readonly #dir: string;

  private constructor(dir: string) {
    this.#dir = dir;
  }

  /** Fetches the index where there is none yet; afterwards it stays the same until it is refreshed. */
  static async open(cacheDir: string, progress: Progress): Promise<Archive> {
    const archive = await Archive.#at(cacheDir);
    await withLock(cacheDir, "archive", async () => {
      if (!existsSync(archive.#stamp)) await archive.#fetchIndex(progress);
    });
    return archive;
  }

  /** The archive if its index is there already: asks no network. */
  static async present(cacheDir: string): Promise<Archive | undefined> {
    const archive = await Archive.#at(cacheDir);
    return existsSync(archive.#stamp) ? archive : undefined;
  }

  /** Fetches the index anew: from now on, candidates are today's versions. */
  static async refresh(cacheDir: string, progress: Progress): Promise<Archive> {
    const archive = await Archive.#at(cacheDir);
    await withLock(cacheDir, "archive", () => archive.#fetchIndex(progress));
    return archive;
  }

  static async #at(cacheDir: string): Promise<Archive> {
    return new Archive(join(cacheDir, `archive-${SUITE}-${sourcesKey(await sourcesList())}`));
  }

  /** These packages and all that they depend on, in versions that fit together, sorted by name. */
  async closure(names: readonly string[]): Promise<Candidate[]> {
    const stdout = await this.#ask("apt-get", ["install", "--yes", "--print-uris", ...names]);
    const files = [...stdout.matchAll(/^'[^']+' (\S+)_(\S+)_\w+\.deb /gm)];
    const found = files.map(([, name = "", version = ""]) => ({ name, version: decodeURIComponent(version) }));
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Downloads without installing. apt checks each package against the archive's signed index. */
  async fetch(packages: readonly Candidate[], dir: string): Promise<FetchedPackage[]> {
    await mkdir(dir, { recursive: true });
    const wanted = packages.map(({ name, version }) => `${name}=${version}`);
    await this.#apt("apt-get", ["download", ...wanted], dir);
    return describePackages(dir);
  }

  /** Downloads a package's source. Of a version that Debian has not patched since its release, only upstream's tarball. */
  async fetchSource({ name, version }: Candidate, dir: string): Promise<SourceFiles> {
    await mkdir(dir, { recursive: true });
    const patched = version.includes("+deb");
    const part = patched ? [] : ["--tar-only"];
    await this.#apt("apt-get", ["source", "--download-only", ...part, `${name}=${version}`], dir);
    const wanted = patched ? /\.dsc$/ : /\.orig\.tar\.\w+$/;
    const file = (await readdir(dir)).find((entry) => wanted.test(entry));
    if (file === undefined) throw new GuestImageError(`the archive has no source of ${name}`, "report it");
    return { file, patched };
  }

  async candidate(name: string): Promise<Candidate> {
    const [found] = await this.candidates([name]);
    if (found === undefined) throw new Error("unreachable");
    return found;
  }

  /** In the order of the names. */
  async candidates(names: readonly string[]): Promise<Candidate[]> {
    const stdout = await this.#ask("apt-cache", ["policy", ...names]);
    return names.map((name) => {
      const block = stdout.slice(`\n${stdout}`.indexOf(`\n${name}:\n`));
      const version = /^ {2}Candidate: (\S+)/m.exec(block)?.[1];
      if (stdout.includes(`${name}:\n`) && version !== undefined && version !== "(none)") return { name, version };
      throw new GuestImageError(`Debian ${SUITE} has no package ${name}`, "run `npm run guest:update`");
    });
  }

  /** What a package depends on directly, by name. */
  async dependencies(name: string): Promise<string[]> {
    const stdout = await this.#ask("apt-cache", ["depends", name]);
    return [...stdout.matchAll(/^ {2}Depends: (\S+)$/gm)].map(([, dependency = ""]) => dependency);
  }

  /** Names the index: another one may offer other versions. */
  async index(): Promise<string> {
    return readFile(this.#stamp, "utf8");
  }

  /** The day that the newest part of the index was made, as YYYY-MM-DD: what Debian had by then is what candidates are. */
  async day(): Promise<string> {
    const dates = (await this.#signedLists()).map((text) => Date.parse(/^Date: (.+)$/m.exec(text)?.[1] ?? ""));
    return new Date(Math.max(...dates.filter(Number.isFinite))).toISOString().slice(0, 10);
  }

  /** Of these packages, in these versions, what the archive has newer. */
  async newer(packages: readonly Candidate[]): Promise<Newer[]> {
    const names = packages.map(({ name }) => name);
    return newerIn(await this.#ask("apt-cache", ["policy", ...names]), packages);
  }

  get #stamp(): string {
    return join(this.#dir, "fetched");
  }

  async #fetchIndex(progress: Progress): Promise<void> {
    if (!existsSync(KEYRING)) {
      throw new GuestImageError(`no ${KEYRING} to check Debian's signatures with`, "install debian-archive-keyring");
    }
    progress(`guest: fetching the index of Debian ${SUITE}`);
    await this.#writeConfiguration();
    await this.#apt("apt-get", ["update", "--error-on=any"]);
    await rm(join(this.#dir, "answers"), { recursive: true, force: true });
    await writeFile(this.#stamp, await this.#indexDigest());
  }

  async #indexDigest(): Promise<string> {
    return contentKey(...(await this.#signedLists()));
  }

  async #signedLists(): Promise<string[]> {
    const lists = join(this.#dir, "lists");
    const signed = (await readdir(lists)).filter((file) => file.endsWith("_InRelease")).sort();
    return Promise.all(signed.map((file) => readFile(join(lists, file), "utf8")));
  }

  async #writeConfiguration(): Promise<void> {
    for (const dir of ["lists/partial", "cache/archives/partial"])
      await mkdir(join(this.#dir, dir), { recursive: true });
    await rm(join(this.#dir, "installed"), { force: true });
    await writeFile(join(this.#dir, "installed"), "");
    await writeFile(join(this.#dir, "sources.list"), await sourcesList());
  }

  /** The same index gives the same answer: it is asked once, which takes apt a second or more. */
  async #ask(program: string, args: readonly string[]): Promise<string> {
    const file = join(this.#dir, "answers", contentKey(program, ...args));
    const known = await readFile(file, "utf8").catch(() => undefined);
    if (known !== undefined) return known;
    const { stdout } = await this.#apt(program, args);
    await mkdir(join(this.#dir, "answers"), { recursive: true });
    const unfinished = `${file}.${randomBytes(4).toString("hex")}`;
    await writeFile(unfinished, stdout);
    await rename(unfinished, file);
    return stdout;
  }

  // Options of the command line win over the host's configuration, of which proxies and certificates remain.
  async #apt(program: string, args: readonly string[], cwd: string = this.#dir): Promise<{ stdout: string }> {
    const options = {
      "Dir::Etc::sourcelist": join(this.#dir, "sources.list"),
      "Dir::Etc::sourceparts": "/dev/null",
      "Dir::Etc::preferences": "/dev/null",
      "Dir::Etc::preferencesparts": "/dev/null",
      "Dir::State": this.#dir,
      "Dir::State::lists": join(this.#dir, "lists"),
      "Dir::State::status": join(this.#dir, "installed"),
      "Dir::Cache": join(this.#dir, "cache"),
      "APT::Architecture": "amd64",
      "APT::Architectures": "amd64",
      "APT::Default-Release": "",
      "APT::Install-Recommends": "false",
      "APT::Get::AllowUnauthenticated": "false",
      // apt drops to an unprivileged user for downloads, which cannot write to a root directory: stay root.
      "APT::Sandbox::User": "root",
    };
    const set = Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
    const env = { LC_ALL: "C" };
    const result = await execa(program, ["-q", ...set, ...args], { cwd, env, reject: false, stdin: "ignore" });
    if (!result.failed) return result;
    const said = String(result.stderr || result.shortMessage).slice(-2000);
    throw new ArchiveError(`${program} ${args.join(" ").slice(0, 200)}: ${said}`);
  }
}

/** apt failed: its own words. */
export class ArchiveError extends GuestImageError {
  /** The index names a file that the mirror has replaced by a newer one. */
  readonly outdated: boolean;

  constructor(message: string) {
    super(message, "check the network and, where a version is gone, run `npm run guest:update`");
    this.outdated = /404|Unable to fetch|was not found/.test(message);
  }
}
