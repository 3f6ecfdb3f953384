import { UsageError } from "../arguments/parse.ts";
import { bashScript } from "./bash.ts";
import type { CompletedProgram } from "./completed.ts";
import { fishScript } from "./fish.ts";
import { zshScript } from "./zsh.ts";

const SCRIPTS: Readonly<Record<string, (program: CompletedProgram) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** The function that writes the script for the shell which a command line names. @throws UsageError */
export function scriptFor([shell = "", ...more]: readonly string[]): (program: CompletedProgram) => string {
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script !== undefined && more.length === 0) return script;
  throw new UsageError('"completion" requires a shell it knows: bash, zsh or fish');
}
