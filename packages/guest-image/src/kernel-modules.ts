import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { GuestImageError } from "./errors.ts";

export interface KernelModule {
  readonly name: string;
  readonly path: string;
}

/**
 * These modules and all that they depend on, in the order in which they can be loaded. What the kernel has built in is
 * left out.
 * @param tree of the kernel's modules, not compressed, with its list `modules.builtin`
 * @throws GuestImageError naming a module that the kernel has neither as a file nor built in
 */
export async function modulesInLoadOrder(tree: string, wanted: readonly string[]): Promise<KernelModule[]> {
  const paths: Map<string, string> = new Map();
  const builtin: Set<string> = new Set();
  for (const entry of await readdir(tree, { recursive: true })) {
    const path = join(tree, entry);
    if (entry.endsWith(".ko")) paths.set(moduleName(entry), path);
    if (basename(entry) !== "modules.builtin") continue;
    for (const line of (await readFile(path, "utf8")).split("\n")) builtin.add(moduleName(line));
  }
  const ordered: Map<string, KernelModule> = new Map();
  const add = async (name: string): Promise<void> => {
    if (builtin.has(name) || ordered.has(name)) return;
    const path = paths.get(name);
    if (path === undefined)
      throw new GuestImageError(`the kernel has no module ${name}`, "its package was split: report it");
    for (const dependency of await dependenciesOf(path)) await add(dependency);
    ordered.set(name, { name, path });
  };
  for (const name of wanted) await add(moduleName(name));
  return [...ordered.values()];
}

/** A module's own list, `depends=a,b` in its .modinfo section. */
async function dependenciesOf(path: string): Promise<string[]> {
  const content = await readFile(path, "latin1");
  const list = /\0depends=([\w,-]*)\0/.exec(content)?.[1] ?? "";
  return list.split(",").filter(Boolean).map(moduleName);
}

/** Of a file or of a name. */
function moduleName(path: string): string {
  return basename(path, ".ko").replaceAll("-", "_");
}
