import { readFileSync, rmSync, symlinkSync } from "node:fs";
import { cp, mkdir, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { directImports } from "../../scripts/lib/direct-imports.ts";
import { makeEngineProgram } from "../../scripts/lib/engine-programs.ts";
import { packageDir } from "../../scripts/lib/paths.ts";
import { DIST } from "./paths.ts";

const LIBEXEC = join("libexec", "kata-ts");

interface EngineProgram {
  readonly packageName: string;
  readonly name: string;
  /** Engines and users call it in bin. */
  readonly isCalled: boolean;
}

const PROGRAMS: readonly EngineProgram[] = [
  { packageName: "runtime-cli", name: "kata-runtime", isCalled: true },
  { packageName: "containerd-shim", name: "containerd-shim-kata-v2", isCalled: true },
  { packageName: "shim", name: "kata-shim", isCalled: false },
  { packageName: "proxy", name: "kata-proxy", isCalled: false },
];

/** Whether a program of the installed tree is a script that starts Node. A program on QuickJS is one file with it. */
export function hasLauncher(program: string): boolean {
  return readFileSync(join(DIST, program), "latin1").startsWith("#!");
}

/** Whether the installed tree was built with KATA_TS_ENGINE=node: its agent runs on Node, too. */
export const isOnNode: boolean = hasLauncher(join("bin", "kata-runtime"));

/** A tree below a directory, whose programs run on QuickJS, and which has no Node: the installed one's, and made where that has them on Node. */
export async function treeOnEngine(directory: string): Promise<string> {
  const tree = join(directory, "tree");
  await mkdir(tree);
  for (const part of ["bin", "libexec"]) {
    await cp(join(DIST, part), join(tree, part), { recursive: true, verbatimSymlinks: true, filter: isWithoutNode });
  }
  await symlink(join(DIST, "share"), join(tree, "share"));
  for (const program of PROGRAMS) {
    if (hasLauncher(join(program.isCalled ? "bin" : LIBEXEC, program.name))) await makeProgram(program, tree);
  }
  return tree;
}

function isWithoutNode(path: string): boolean {
  return !["node", "node_modules"].includes(basename(path)) && !path.endsWith(".mjs");
}

async function makeProgram({ packageName, name, isCalled }: EngineProgram, tree: string): Promise<void> {
  const to = join(tree, LIBEXEC, name);
  rmSync(to, { force: true });
  const entry = join(packageDir(packageName), "dist", "bin.js");
  await makeEngineProgram({ entry, to, define: { KATA_TS_COMMIT: '"unknown"' }, plugins: [directImports] });
  if (!isCalled) return;
  rmSync(join(tree, "bin", name));
  symlinkSync(join("..", LIBEXEC, name), join(tree, "bin", name));
}
