const MARK = "__lacking_";
const IN_TEXT = new RegExp(`(typeof )?\\b${MARK}([\\w$]+)`, "g");
const ASKED = /\bglobalThis\.([\w$]+)/g;
/** What esbuild writes before each module of a bundle. */
const MODULE = /^\/\/ (.+)$/;

/** For esbuild's `define`, which knows a global from a name of the program's own. */
export function marksFor(names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, `${MARK}${name.replace(".", "$")}`]));
}

/**
 * Whether a bundle uses what has been marked. A module that asks whether it is there does without it.
 *
 * @throws Error with each name, and the modules that use it
 */
export function refuseMarked(texts: readonly string[]): void {
  const uses: Map<string, Set<string>> = new Map();
  for (const [module, text] of texts.flatMap(modulesOf)) {
    const found = [...text.matchAll(IN_TEXT)];
    const asked = new Set(found.filter(([, asks]) => asks !== undefined).map(([, , name]) => name));
    for (const [, name] of text.matchAll(ASKED)) asked.add(name);
    for (const [, , name = ""] of found) {
      if (!asked.has(name)) uses.set(name, (uses.get(name) ?? new Set()).add(module));
    }
  }
  if (uses.size === 0) return;
  const lines = [...uses].map(([name, modules]) => `${name.replace("$", ".")}, used by ${[...modules].join(", ")}`);
  throw new Error(`the engine has no ${lines.sort().join("\nthe engine has no ")}`);
}

function modulesOf(text: string): [module: string, text: string][] {
  const modules: { readonly name: string; readonly lines: string[] }[] = [{ name: "the bundle", lines: [] }];
  for (const line of text.split("\n")) {
    const [, name] = MODULE.exec(line) ?? [];
    if (name === undefined) modules.at(-1)?.lines.push(line);
    else modules.push({ name, lines: [] });
  }
  return modules.map(({ name, lines }) => [name, lines.join("\n")]);
}
