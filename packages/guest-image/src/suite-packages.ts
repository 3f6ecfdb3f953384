import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { GuestImageError } from "./errors.ts";
import { describePackages, type FetchedPackage } from "./packages.ts";

const SUITE = "trixie";
const KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg";

/**
 * Downloads packages of Debian 13 on any release of Debian, by an apt directory below `dir`: its own sources, index and
 * empty list of installed packages. apt checks each package against the archive's signed index.
 */
export async function fetchSuitePackages(names: readonly string[], dir: string): Promise<FetchedPackage[]> {
  if (!existsSync(KEYRING)) {
    throw new GuestImageError(`no ${KEYRING} to check Debian's signatures with`, "install debian-archive-keyring");
  }
  const state = join(dir, "apt");
  for (const part of ["lists/partial", "cache/archives/partial"]) await mkdir(join(state, part), { recursive: true });
  await writeFile(join(state, "installed"), "");
  await writeFile(join(state, "sources.list"), await sourcesList());
  await apt(state, dir, ["update", "--error-on=any"]);
  const packages = join(dir, "packages");
  await mkdir(packages);
  await apt(state, packages, ["download", ...names]);
  return describePackages(packages);
}

async function apt(state: string, cwd: string, args: readonly string[]): Promise<void> {
  const settings = {
    "Dir::Etc::sourcelist": join(state, "sources.list"),
    "Dir::Etc::sourceparts": "/dev/null",
    "Dir::Etc::preferencesparts": "/dev/null",
    "Dir::State": state,
    "Dir::State::lists": join(state, "lists"),
    "Dir::State::status": join(state, "installed"),
    "Dir::Cache": join(state, "cache"),
    "APT::Sandbox::User": "root",
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
  const result = await execa("apt-get", ["-q", ...options, ...args], { cwd, reject: false, env: { LC_ALL: "C" } });
  if (!result.failed) return;
  throw new GuestImageError(`apt-get ${args.join(" ")}: ${result.stderr.slice(-2000)}`, "check the network");
}

/** From the host's mirrors, where it has Debian's. */
async function sourcesList(): Promise<string> {
  const format = "$(LABEL) $(SITE)";
  const { stdout } = await execa("apt-get", ["indextargets", "--format", format, "Created-By: Packages"], {
    reject: false,
  });
  const siteOf = (label: string, usual: string): string =>
    new RegExp(`^${label} (https?://\\S+)$`, "m").exec(stdout)?.[1] ?? usual;
  const main = siteOf("Debian", "http://deb.debian.org/debian");
  const security = siteOf("Debian-Security", "http://deb.debian.org/debian-security");
  const places = [`${main} ${SUITE}`, `${main} ${SUITE}-updates`, `${security} ${SUITE}-security`];
  return places.map((place) => `deb [signed-by=${KEYRING}] ${place} main\n`).join("");
}
