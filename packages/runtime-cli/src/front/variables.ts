import { readFileSync } from "node:fs";
import { UsageError } from "../arguments/parse.ts";

/** `NAME=VALUE`; a NAME alone has the value that it has here, and is left out where it has none. @throws UsageError */
export function parseVariables(
  texts: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  option = "--env",
): string[] {
  return texts.flatMap((text) => {
    if (text === "" || text.startsWith("=")) throw new UsageError(`${option} takes NAME=VALUE or NAME, not "${text}"`);
    if (text.includes("\0")) throw new UsageError(`${option}: ${JSON.stringify(text)} has a NUL`);
    if (text.includes("=")) return [text];
    const value = env[text];
    return value === undefined ? [] : [`${text}=${value}`];
  });
}

/** Docker's files: a variable a line, as for --env; `#` begins a comment, and nothing is quoted. @throws UsageError */
export function readVariableFiles(paths: readonly string[], env: NodeJS.ProcessEnv = process.env): string[] {
  return paths.flatMap((path) => {
    const lines = contentOf(path)
      .split("\n")
      .map((line) => line.replace(/^\s+/, "").replace(/\r$/, ""))
      .filter((line) => line !== "" && !line.startsWith("#"));
    for (const line of lines) {
      if (/^[^=]*\s[^=]*(=|$)/.test(line))
        throw new UsageError(`--env-file ${path}: a name has a blank in it: ${JSON.stringify(line)}`);
    }
    return parseVariables(lines, env, `--env-file ${path}`);
  });
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  } catch (error) {
    throw new UsageError(`--env-file ${path}: ${(error as Error).message}`);
  }
}

/** Of several variables of one name the last: programs find the first. */
export function lastOfEach(variables: readonly string[]): string[] {
  const byName = new Map(variables.map((variable) => [variable.slice(0, variable.indexOf("=")), variable]));
  return [...byName.values()];
}
