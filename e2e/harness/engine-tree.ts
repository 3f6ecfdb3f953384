import { readFileSync } from "node:fs";
import { cp, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { directImports } from "../../scripts/lib/direct-imports.ts";
import { makeEngineProgram } from "../../scripts/lib/engine-programs.ts";
import { packageDir } from "../../scripts/lib/paths.ts";
import { DIST } from "./paths.ts";

const LIBEXEC = join("libexec", "kata-ts");

/** Whether a program of the installed tree is a script that starts Node. A program on QuickJS is one file with it. */
export function hasLauncher(program: string): boolean {
  return readFileSync(join(DIST, program), "latin1").startsWith("#!");
}

/** A tree whose kata-shim and kata-proxy run on QuickJS: the installed one, or one that is made of it below a directory. */
export async function treeOnEngine(directory: string): Promise<string> {
  const started = ["shim", "proxy"] as const;
  if (!started.some((name) => hasLauncher(join(LIBEXEC, `kata-${name}`)))) return DIST;
  const tree = join(directory, "tree");
  await mkdir(tree);
  for (const part of ["bin", "libexec"]) await cp(join(DIST, part), join(tree, part), { recursive: true });
  await symlink(join(DIST, "share"), join(tree, "share"));
  const define = { KATA_TS_COMMIT: '"unknown"' };
  for (const name of started) {
    const entry = join(packageDir(name), "dist", "bin.js");
    await makeEngineProgram({ entry, to: join(tree, LIBEXEC, `kata-${name}`), define, plugins: [directImports] });
  }
  return tree;
}
