import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type GivenOptions, wrongFile } from "./given.ts";
import { keptOptions } from "./kept.ts";

/**
 * Reads the file, and over it the drop-ins `config.d/*.toml` beside it in the order of their names.
 *
 * @param kept where another call may have kept what it read: it is not checked once more if the files are still the same
 * @throws KataError KATA_CONFIG naming the file and the option
 */
export async function readOptions(file: string | undefined, kept?: string): Promise<GivenOptions> {
  if (file === undefined) return { options: {}, files: [], warnings: [] };
  const files = [file, ...dropIns(join(dirname(file), "config.d"))].map((path) => ({ path, text: textOf(path) }));
  const known = kept === undefined ? undefined : keptOptions(kept, files);
  if (known !== undefined) return known;
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
