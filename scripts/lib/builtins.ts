import { promises } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import type { Plugin } from "esbuild";
import { uptimeMs } from "./uptime.ts";

/**
 * Modules of Node's own that take long to load and that most calls do not need, with the functions and classes that are
 * used of them. An import of anything else of them is an error of the build: it belongs into this list, if it is called or
 * constructed, and nothing more; `instanceof` would not know it.
 */
const LATER: Readonly<Record<string, readonly string[]>> = {
  "node:child_process": ["execFile", "execFileSync", "spawn", "spawnSync"],
  "node:crypto": ["createHash", "randomBytes", "randomInt"],
  "node:dgram": ["createSocket"],
  "node:net": ["BlockList", "Socket", "connect", "createServer", "isIP", "isIPv4", "isIPv6"],
  "node:readline": ["createInterface"],
  "node:stream/consumers": ["buffer", "text"],
  "node:v8": ["setFlagsFromString"],
  "node:vm": ["runInNewContext"],
};

/**
 * Of `node:fs/promises`, what is not the same as a promise of the function with a callback: FileHandles and the like. `open`
 * loads the module when it is called, and with it much that no call here needs, such as readline; an import of the
 * others is an error of the build.
 */
const NOT_PROMISIFIED: readonly string[] = ["constants", "glob", "open", "opendir", "watch"];

const NAMESPACE = "builtin";

/** How a function says what promisify() is to make of it: execFile does. */
const PROMISIFIED = 'const PROMISIFIED = Symbol.for("nodejs.util.promisify.custom");';

/**
 * Imports of Node's own modules that load no more than what is used. An import statement of Node's asks a module for all
 * that it could give, which for `node:fs` loads all kinds of streams; and in CommonJS each importing file would make
 * a copy of the module's list of names.
 */
export const builtins: Plugin = {
  name: "builtins",
  setup(build) {
    const { initialOptions } = build;
    initialOptions.define = { ...initialOptions.define, "performance.now": uptimeMs.name };
    initialOptions.inject = [...(initialOptions.inject ?? []), join(import.meta.dirname, "uptime.ts")];
    build.onResolve({ filter: /./ }, ({ path, kind, importer }) =>
      kind === "import-statement" && isBuiltin(path)
        ? { path, suffix: `?${importer}`, namespace: NAMESPACE, sideEffects: false }
        : undefined,
    );
    build.onLoad({ filter: /./, namespace: NAMESPACE }, ({ path }) => {
      if (path === "node:fs/promises") return { contents: filePromises(path) };
      const functions = LATER[path];
      return {
        contents: functions === undefined ? now(path) : [PROMISIFIED, ...functions.map(later(path))].join("\n"),
      };
    });
  },
};

/** Of all that a module has a bundle keeps what is imported: the rest is marked as without effect. */
function now(path: string): string {
  const names = Object.keys(process.getBuiltinModule(path) ?? {}).filter((name) => /^\w+$/.test(name));
  return [
    `const it = /* @__PURE__ */ process.getBuiltinModule("${path}");`,
    "export default it;",
    ...names.map((name) => `const _${name} = /* @__PURE__ */ (() => it.${name})(); export { _${name} as ${name} };`),
  ].join("\n");
}

/** The functions of `node:fs`, which is there already, as promises; `open`, and what is taken of the whole, loads the module. */
function filePromises(path: string): string {
  const names = Object.keys(promises).filter((name) => !NOT_PROMISIFIED.includes(name));
  return [
    PROMISIFIED,
    'const fs = /* @__PURE__ */ process.getBuiltinModule("node:fs");',
    'const { promisify } = process.getBuiltinModule("node:util");',
    ...names.map((name) => `export const ${name} = /* @__PURE__ */ (() => promisify(fs.${name}))();`),
    later(path)("open"),
    `export default { ${names.map((name) => `get ${name}() { return process.getBuiltinModule("${path}").${name}; }`).join()} };`,
  ].join("\n");
}

/** Loads the module at the first call of one of its functions or classes, not when the bundle is loaded. */
function later(path: string): (name: string) => string {
  return (name) => {
    const real = `process.getBuiltinModule("${path}").${name}`;
    return `export function ${name}(...args) { return new.target ? new (${real})(...args) : ${real}(...args); }
      Object.defineProperty(${name}, PROMISIFIED, { get: () => ${real}[PROMISIFIED] });`;
  };
}
