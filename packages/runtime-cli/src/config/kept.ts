import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readOwnFile } from "@kata-ts/linux";
import { COMMIT, VERSION } from "../version.ts";
import type { ConfigurationFile, GivenOptions } from "./given.ts";

/** Another version may know other options. */
const BUILD = `${VERSION} ${COMMIT}`;

interface Kept {
  readonly build: string;
  readonly given: GivenOptions;
}

/** Where a container's are: beside its record, and removed with it. */
export function keptFor(root: string, id: string): string {
  return join(root, id, "kata.options.json");
}

/**
 * Keeps what was read and checked, for later calls about the same container: to load what checks it, and to check it, took
 * them 17 ms of 83. Where it cannot be written, they check again.
 */
export function keepOptions(path: string, given: GivenOptions): void {
  const kept: Kept = { build: BUILD, given };
  try {
    writeFileSync(path, JSON.stringify(kept), { mode: 0o600 });
  } catch {
    return;
  }
}

/** What was kept, if it was read from files with the same names and texts; undefined otherwise. */
export function keptOptions(path: string, files: readonly ConfigurationFile[]): GivenOptions | undefined {
  try {
    const { build, given } = JSON.parse(readOwnFile(path)) as Kept;
    return build === BUILD && JSON.stringify(given.files) === JSON.stringify(files) ? given : undefined;
  } catch {
    return undefined; // Not there, cut off, or another user's word.
  }
}
