import { dirname, join, resolve } from "node:path";
import type { Context } from "../context.ts";

/** How this program is called again, about the same containers: its path, and what stands before a command. */
export function ownProgram({ globals, installation }: Context): [string, ...string[]] {
  const kata = join(dirname(installation.runtime), "kata");
  const config = globals.config === undefined ? [] : ["--config", resolve(globals.config)];
  return [kata, "--root", resolve(globals.root), ...config];
}
