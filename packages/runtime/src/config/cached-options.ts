import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readOwnFile } from "@kata-ts/linux";
import { anyObjectAs, listOf, object, parseShape, text } from "@kata-ts/linux/shape";
import { COMMIT, VERSION } from "../version.ts";
import type { ConfigurationFile, LoadedOptions } from "./loaded-options.ts";
import type { Options } from "./options.ts";

/** Another version may know other options. */
const BUILD = `${VERSION} ${COMMIT}`;

interface OptionsCache {
  readonly build: string;
  readonly loaded: LoadedOptions;
}

/** The same build checked the options before it wrote them. */
const cacheShape = object<OptionsCache>({
  build: text,
  loaded: object<LoadedOptions>({
    options: anyObjectAs<Options>(),
    files: listOf(object<ConfigurationFile>({ path: text, text })),
    warnings: listOf(text),
  }),
});

/** The file of a container's options: beside its record, and removed with it. */
export function cachedOptionsPath(root: string, id: string): string {
  return join(root, id, "kata.options.json");
}

/**
 * Writes options that were loaded and checked, for later calls about the same container: to load the code that checks them,
 * and to check them, took 17 ms of 83. Where the file cannot be written, later calls check again.
 */
export function cacheOptions(path: string, loaded: LoadedOptions): void {
  const cache: OptionsCache = { build: BUILD, loaded };
  try {
    writeFileSync(path, JSON.stringify(cache), { mode: 0o600 });
  } catch {
    return;
  }
}

/** The cached options, if they come from files with the same names and texts; undefined otherwise. */
export function cachedOptions(path: string, files: readonly ConfigurationFile[]): LoadedOptions | undefined {
  try {
    const { build, loaded } = parseShape(cacheShape, readOwnFile(path), path);
    return build === BUILD && JSON.stringify(loaded.files) === JSON.stringify(files) ? loaded : undefined;
  } catch {
    return undefined; // Missing, damaged, or another user's file.
  }
}
