import { readFile, writeFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { basename, join, resolve } from "node:path";
import { type BuildOptions, build, type Metafile, type Plugin } from "esbuild";
import { marksFor, refuseMarked } from "./marks.ts";
import { fileOf, GLOBALS, isOurs } from "./modules.ts";

const ENTRY = "kata-js-entry";
const NATIVE = "kata:native";

/**
 * Resolves Node's modules to this package's. The build fails where this package lacks a module, or a name that is imported.
 *
 * esbuild knows a file by how it was reached first, and it knows the kind of the package (`"type": "module"`) of those alone that it has
 * resolved itself. A file that is imported by both ways would be one or the other as its threads go: so all imports of these files go one way.
 */
const nodeModules: Plugin = {
  name: "node-modules",
  setup: (build) => {
    build.onResolve({ filter: /^\.\.?\// }, ({ path, importer, resolveDir }) =>
      isOurs(importer) ? { path: join(resolveDir, path) } : undefined,
    );
    build.onResolve({ filter: /^kata:native$/ }, () => ({ path: NATIVE, external: true }));
    build.onResolve({ filter: /./ }, ({ path, importer }) => {
      const file = fileOf(path);
      if (file !== undefined) return { path: file };
      if (!isBuiltin(path)) return undefined;
      return { errors: [{ text: `${path} is not in packages/quickjs/src/node`, detail: importer }] };
    });
  },
};

/** Globals first: modules are evaluated in the order of their imports. A program is imported for its effects alone. */
function entryOf(files: readonly string[]): Plugin {
  const paths = [GLOBALS, ...files.map((file) => resolve(file))];
  return {
    name: "entry",
    setup: (build) => {
      build.onResolve({ filter: /^kata-js-entry$/ }, () => ({ path: ENTRY, namespace: ENTRY }));
      build.onResolve({ filter: /./, namespace: ENTRY }, ({ path }) => ({ path, sideEffects: true }));
      build.onLoad({ filter: /./, namespace: ENTRY }, () => ({
        contents: paths.map((path) => `import ${JSON.stringify(path)};\n`).join(""),
        resolveDir: import.meta.dirname,
      }));
    },
  };
}

/** Modules that a program may import and does not come to use: each name of theirs throws when it is used. */
function leftOut(modules: readonly string[]): Plugin {
  const contents = `module.exports = new Proxy({}, { get: (_, name) => {
    if (name === "__esModule") return true;
    throw new Error("this program is built without what has " + String(name));
  } });`;
  return {
    name: "left-out",
    setup: (build) => {
      build.onResolve({ filter: /./ }, ({ path }) =>
        modules.includes(path) ? { path, namespace: "left-out" } : undefined,
      );
      build.onLoad({ filter: /./, namespace: "left-out" }, () => ({ contents, loader: "js" }));
    },
  };
}

export interface BundleOptions extends BuildOptions {
  /** Modules that the program does not come to use on this engine, such as gRPC's: it says so when it does. */
  readonly leftOut?: readonly string[];
  /** Globals that the engine does not have, of lackingGlobals(): the build fails where the program uses one. */
  readonly lacking?: readonly string[];
}

/**
 * Makes one ES module of a program, for the engine to compile.
 *
 * @param files TypeScript or JavaScript, evaluated one after the other
 * @param to where the bundle is written
 * @param options esbuild's, and more; its plugins come before those here
 * @returns what the bundle is made of
 * @throws BuildFailure for a module of Node's, or a name of one, that the engine has not; Error for a global
 */
export async function bundle(files: readonly string[], to: string, options: BundleOptions = {}): Promise<Metafile> {
  const complete = optionsFor(options, [entryOf(files)]);
  const { metafile } = await build({ ...complete, entryPoints: [ENTRY], outfile: to });
  refuseMarked([await readFile(to, "utf8")]);
  return metafile;
}

/** A bundle of which a program loads, at its start, no more than what it begins with. */
export interface BundleInParts {
  readonly metafile: Metafile;
  /** Files, for compileBundle(): the first runs. */
  readonly modules: readonly string[];
}

/** As bundle(), but what is imported by `import()` is loaded once that is called. @param directory where the modules are written */
export async function bundleInParts(
  files: readonly string[],
  directory: string,
  options: BundleOptions = {},
): Promise<BundleInParts> {
  const starts = Object.fromEntries(
    [GLOBALS, ...files].map((file, index) => [`start-${String(index)}`, resolve(file)]),
  );
  const { metafile } = await build({
    ...optionsFor(options, []),
    entryPoints: starts,
    outdir: directory,
    chunkNames: "part-[hash]",
    splitting: true,
  });
  const first = join(directory, "program.js");
  // A module is evaluated with all that it imports before the next one: globals are there when others begin.
  await writeFile(
    first,
    Object.keys(starts)
      .map((name) => `import "./${name}.js";\n`)
      .join(""),
  );
  const made = Object.keys(metafile.outputs)
    .filter((path) => path.endsWith(".js"))
    .map((path) => join(directory, basename(path)));
  refuseMarked(await Promise.all(made.map((path) => readFile(path, "utf8"))));
  return { metafile, modules: [first, ...made.sort()] };
}

function optionsFor({ leftOut: modules = [], lacking = [], ...more }: BundleOptions, entry: readonly Plugin[]) {
  return {
    logLevel: "silent",
    logOverride: { "import-is-undefined": "error" },
    minify: false,
    sourcemap: false,
    conditions: ["node"],
    ...more,
    // A program is one file, and its modules are where that is.
    define: { ...marksFor(lacking), ...more.define, "import.meta.dirname": "__programDirectory" },
    bundle: true,
    metafile: true,
    // A function around everything would make each closure search all captured variables.
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2023",
    // The engine's own does not wait for what is iterated to be over when its body leaves it.
    supported: { "for-await": false },
    plugins: [...(more.plugins ?? []), leftOut(modules), ...entry, nodeModules],
  } as const satisfies BuildOptions;
}
