import { execa } from "execa";
import type { Candidate } from "./candidate.ts";
import { SUITE } from "./suite.ts";

/** A package that a guest is made of, of which the archive has a newer version. */
export interface Newer extends Candidate {
  /** The newer version. */
  readonly candidate: string;
  /** It comes from the archive of security fixes. */
  readonly security: boolean;
}

/**
 * Of these packages, in these versions, what is newer.
 *
 * @param policy what `apt-cache policy` prints for them
 */
export async function newerIn(policy: string, packages: readonly Candidate[]): Promise<Newer[]> {
  const blocks = new Map(policy.split(/^(?=\S+:$)/m).map((block) => [block.slice(0, block.indexOf(":\n")), block]));
  const found: Newer[] = [];
  for (const { name, version } of packages) {
    const block = blocks.get(name) ?? "";
    const candidate = /^ {2}Candidate: (\S+)/m.exec(block)?.[1];
    if (candidate === undefined || !(await isLater(candidate, version))) continue;
    found.push({ name, version, candidate, security: placesOf(candidate, block).includes(`${SUITE}-security/`) });
  }
  return found;
}

/** Where a version comes from: the lines below it, which are indented further. */
function placesOf(version: string, block: string): string {
  const lines = block.split("\n");
  const rest = lines.slice(
    lines.findIndex((line) => /^ {5}\S|^ \*\*\* /.test(line) && line.includes(` ${version} `)) + 1,
  );
  const end = rest.findIndex((line) => !/^ {8}/.test(line));
  return rest.slice(0, end === -1 ? undefined : end).join("\n");
}

async function isLater(version: string, than: string): Promise<boolean> {
  const { exitCode } = await execa("dpkg", ["--compare-versions", version, "gt", than], { reject: false });
  return exitCode === 0;
}
