import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Plugin, PluginBuild } from "esbuild";

/** A file of ours that is compiled, with the maps' comments and all. */
const COMPILED = /\/packages\/[^/]+\/dist\/.*\.js$/;
const OF_A_PACKAGE = /^import \{([^}]*)\} from "(@kata-ts\/[^"]+)";$/gm;
const REEXPORT = /^export \{([^}]*)\} from "([^"]+)";$/gm;

/**
 * Imports from the files that a package's index names, instead of from the index. To esbuild a program that imports an
 * index uses all that the index names, so that what any verb uses of a package would be loaded by every verb.
 */
export const directImports: Plugin = {
  name: "direct-imports",
  setup(build) {
    const indices: Map<string, Promise<ReadonlyMap<string, Origin>>> = new Map();
    const originsIn = (index: string): Promise<ReadonlyMap<string, Origin>> => {
      const known = indices.get(index) ?? readIndex(index, build);
      indices.set(index, known);
      return known;
    };
    build.onLoad({ filter: COMPILED }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const statements = await Promise.all(
        [...text.matchAll(OF_A_PACKAGE)].map(async ([, names = "", specifier = ""]) => {
          const index = await resolveFrom(path, specifier, build);
          const origins = await originsIn(index);
          return namesIn(names).map(({ name, as }) => {
            const origin = origins.get(name) ?? { file: index, name };
            return `import { ${origin.name} as ${as} } from ${JSON.stringify(origin.file)};`;
          });
        }),
      );
      return { contents: text.replaceAll(OF_A_PACKAGE, () => (statements.shift() ?? []).join(" ")), loader: "js" };
    });
  },
};

interface Origin {
  readonly file: string;
  /** What that file calls it. */
  readonly name: string;
}

async function readIndex(index: string, build: PluginBuild): Promise<ReadonlyMap<string, Origin>> {
  const origins: Map<string, Origin> = new Map();
  for (const [, names = "", specifier = ""] of (await readFile(index, "utf8")).matchAll(REEXPORT)) {
    const file = await resolveFrom(index, specifier, build);
    for (const { name, as } of namesIn(names)) origins.set(as, { file, name });
  }
  return origins;
}

/** `A, B as C`. */
function namesIn(list: string): { readonly name: string; readonly as: string }[] {
  return list.split(",").flatMap((part) => {
    const [name = "", as = name] = part.trim().split(" as ");
    return name === "" ? [] : [{ name, as }];
  });
}

async function resolveFrom(file: string, specifier: string, build: PluginBuild): Promise<string> {
  const importer = { importer: file, resolveDir: dirname(file), kind: "import-statement" } as const;
  const { path, errors } = await build.resolve(specifier, importer);
  if (errors.length > 0) throw new Error(`${file}: ${errors.map(({ text }) => text).join("; ")}`);
  return path;
}
