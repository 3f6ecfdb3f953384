import type { Plugin } from "esbuild";

/**
 * Modules of Node's own that take long to load and that most calls do not need, with the functions that are used of them.
 * An import of anything else of them is an error of the build: it belongs into this list, if it is a function.
 */
const FUNCTIONS: Readonly<Record<string, readonly string[]>> = {
  "node:child_process": ["execFile", "execFileSync", "spawn", "spawnSync"],
  "node:crypto": ["createHash", "randomBytes", "randomInt", "randomUUID"],
  "node:dgram": ["createSocket"],
  "node:readline": ["createInterface"],
  "node:stream/consumers": ["buffer", "text"],
};

const NAMESPACE = "lazy-builtin";

/** How a function says what promisify() is to make of it: execFile does. */
const PROMISIFIED = 'const PROMISIFIED = Symbol.for("nodejs.util.promisify.custom");';

/** Loads those modules at the first call of one of their functions, not when the bundle is loaded. */
export const lazyBuiltins: Plugin = {
  name: "lazy-builtins",
  setup(build) {
    const filter = new RegExp(`^(${Object.keys(FUNCTIONS).join("|")})$`);
    build.onResolve({ filter }, ({ path, kind }) =>
      kind === "import-statement" ? { path, namespace: NAMESPACE, sideEffects: false } : undefined,
    );
    build.onLoad({ filter: /./, namespace: NAMESPACE }, ({ path }) => ({
      contents: [PROMISIFIED, ...(FUNCTIONS[path] ?? []).map((name) => lazily(path, name))].join("\n"),
    }));
  },
};

function lazily(module: string, name: string): string {
  const real = `process.getBuiltinModule("${module}").${name}`;
  return `export function ${name}(...args) { return ${real}(...args); }
    Object.defineProperty(${name}, PROMISIFIED, { get: () => ${real}[PROMISIFIED] });`;
}
