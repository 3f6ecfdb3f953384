import { cp, mkdir, symlink } from "node:fs/promises";
import { basename, join } from "node:path";
import { DIST } from "./paths.ts";

/** A copy of the installed tree's programs below a directory, without Node and what runs on it. */
export async function treeWithoutNode(directory: string): Promise<string> {
  const tree = join(directory, "tree");
  await mkdir(tree);
  for (const part of ["bin", "libexec"]) {
    await cp(join(DIST, part), join(tree, part), { recursive: true, verbatimSymlinks: true, filter: isWithoutNode });
  }
  await symlink(join(DIST, "share"), join(tree, "share"));
  return tree;
}

function isWithoutNode(path: string): boolean {
  return !["node", "node_modules"].includes(basename(path)) && !path.endsWith(".mjs");
}
