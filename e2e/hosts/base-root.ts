import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { defaultCacheDir } from "@kata-ts/guest-image";
import { execa } from "execa";
import { debianMirror, proxyOptions, type Suite, sourceOf } from "./mirrors.ts";

/** Documentation and translations double the time to unpack and are read by no test. */
const LEFT_OUT = ["/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*"];

/** Where roots are kept: below the directory that holds everything that is built. */
export const HOSTS_CACHE: string = join(defaultCacheDir(), "hosts");

/**
 * A root file system of a suite with some packages, which is made once for each state of the suite's index and kept. An
 * older one of the same suite and packages is removed.
 *
 * @returns its directory, which must not be written to
 */
export async function baseRoot(suite: Suite, packages: readonly string[]): Promise<string> {
  const kind = `${suite}-${digest([...packages, ...LEFT_OUT].join(" "))}`;
  const name = `${kind}-${digest(await releaseOf(suite))}`;
  const finished = join(HOSTS_CACHE, name);
  if (existsSync(finished)) return finished;
  mkdirSync(HOSTS_CACHE, { recursive: true });
  for (const old of readdirSync(HOSTS_CACHE).filter((other) => other.startsWith(`${kind}-`))) {
    rmSync(join(HOSTS_CACHE, old), { recursive: true, force: true });
  }
  const unfinished = `${finished}.tmp`;
  try {
    await makeRoot(suite, packages, unfinished);
    renameSync(unfinished, finished);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return finished;
}

async function makeRoot(suite: Suite, packages: readonly string[], directory: string): Promise<void> {
  const include = packages.length === 0 ? [] : [`--include=${packages.join(",")}`];
  const options = [
    ...["--mode=root", "--variant=minbase", "--format=directory", ...include, ...(await proxyOptions())],
    ...['--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"'],
    ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
  ];
  // In a mount namespace of its own: an interrupted one leaves no /proc mounted in a directory that is removed.
  const command = ["--mount", "mmdebstrap", ...options, suite, directory, "-"];
  await execa("unshare", command, { input: sourceOf(suite), stdout: "ignore" });
}

/** The signed index of a suite: it changes with every package in it. */
async function releaseOf(suite: Suite): Promise<string> {
  const url = `${debianMirror()}/dists/${suite}/InRelease`;
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${String(response.status)} ${response.statusText}`);
  return response.text();
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
