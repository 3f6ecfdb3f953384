import { execa } from "execa";
import { installedSources, proxyOptions } from "../hosts/mirrors.ts";
import type { HostSuite } from "./suites.ts";

/** Twenty times what it takes from a mirror nearby. */
const DEADLINE_MS = 3_600_000;

/**
 * Makes a directory out of a release's packages, without what is only read by people.
 *
 * @param options further ones of mmdebstrap
 * @throws Error with the last lines of mmdebstrap, when it fails
 */
export async function mmdebstrap(
  suite: HostSuite,
  directory: string,
  packages: readonly string[],
  options: readonly string[],
): Promise<void> {
  const all = [
    ...["--mode=root", "--format=directory", `--include=${packages.join(",")}`],
    ...['--aptopt=APT::Install-Recommends "false"', '--aptopt=Acquire::Languages "none"'],
    ...["doc", "man", "locale"].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`),
    ...(await proxyOptions()),
    ...options,
  ];
  // In a mount namespace of its own: an interrupted one leaves no /proc mounted in a directory that is removed.
  const isolated = ["--mount", "--kill-child", "--fork", "mmdebstrap", ...all, suite, directory, "-"];
  const made = await execa("unshare", isolated, {
    input: installedSources(suite),
    reject: false,
    all: true,
    timeout: DEADLINE_MS,
  });
  if (made.failed) throw new Error(`mmdebstrap ${suite}: ${made.all.split("\n").slice(-20).join("\n")}`);
}
