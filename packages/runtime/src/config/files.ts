import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cachedOptions } from "./cached-options.ts";
import { type LoadedOptions, wrongFile } from "./loaded-options.ts";

/**
 * Reads the file, and over it the drop-ins `config.d/*.toml` beside it in the order of their names.
 *
 * @param cache a file in which an earlier call may have cached the options: they are not checked again if the files are the same
 * @throws KataError KATA_CONFIG naming the file and the option
 */
export async function readOptions(file: string | undefined, cache?: string): Promise<LoadedOptions> {
  const paths = file === undefined ? [] : [file, ...dropIns(join(dirname(file), "config.d"))];
  const files = paths.map((path) => ({ path, text: textOf(path) }));
  const known = cache === undefined ? undefined : cachedOptions(cache, files);
  if (known !== undefined) return known;
  if (file === undefined) return { options: {}, files, warnings: [] };
  const { checkFiles } = await import("./check-files.ts");
  return checkFiles(files);
}

function dropIns(directory: string): string[] {
  try {
    const names = readdirSync(directory).filter((name) => name.endsWith(".toml"));
    return names.sort().map((name) => join(directory, name));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return [];
    throw wrongFile(directory, (error as Error).message, error);
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw wrongFile(path, (error as Error).message, error);
  }
}
