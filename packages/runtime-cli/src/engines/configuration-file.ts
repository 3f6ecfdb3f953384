import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { KataError } from "@kata-ts/virtcontainers";

/** The text of an engine's configuration; undefined where the file is not there. */
export function readConfiguration(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * Writes a text into a file beside an engine's configuration, with the owner and mode of that, for as long as the function
 * looks at it. Paths that are relative to the configuration stay right.
 */
export async function tryConfiguration<T>(
  file: string,
  text: string,
  look: (candidate: string) => Promise<T> | T,
): Promise<T> {
  const found = statSync(file, { throwIfNoEntry: false });
  const candidate = `${found === undefined ? file : realpathSync(file)}.kata-ts`;
  mkdirSync(dirname(candidate), { recursive: true });
  try {
    writeFileSync(candidate, text);
    if (found !== undefined) {
      chmodSync(candidate, found.mode & 0o7777);
      chownSync(candidate, found.uid, found.gid);
    }
    return await look(candidate);
  } finally {
    rmSync(candidate, { force: true });
  }
}

/**
 * Replaces an engine's configuration at once. A link stays one: the file that it names is replaced.
 *
 * @param check is given a file with the new text; the old one stays where it throws
 */
export function replaceConfiguration(
  file: string,
  text: string,
  check: (candidate: string) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  return tryConfiguration(file, text, async (candidate) => {
    await check(candidate);
    renameSync(candidate, existsSync(file) ? realpathSync(file) : file);
  });
}

export function leftAsItIs(file: string, why: string, options: { cause?: unknown; hint?: string } = {}): KataError {
  const hint = options.hint ?? "it is left as it is: repair it, or add what the command prints without --write";
  return new KataError("KATA_CONFIG", `${file}: ${why}`, { cause: options.cause, hint });
}
