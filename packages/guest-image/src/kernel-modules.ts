import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";

export interface KernelModule {
  readonly name: string;
  readonly path: string;
}

/** These modules and all that they depend on, in the order in which they can be loaded. Built-in ones are left out. */
export async function modulesInLoadOrder(tree: string, wanted: readonly string[]): Promise<KernelModule[]> {
  const paths: Map<string, string> = new Map();
  for (const entry of await readdir(tree, { recursive: true })) {
    if (entry.endsWith(".ko")) paths.set(moduleName(basename(entry, ".ko")), join(tree, entry));
  }
  const ordered: Map<string, KernelModule> = new Map();
  const add = async (name: string): Promise<void> => {
    const path = paths.get(name);
    if (path === undefined || ordered.has(name)) return;
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

function moduleName(name: string): string {
  return name.replaceAll("-", "_");
}
