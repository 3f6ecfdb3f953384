/**
 * QuickJS with the part of Node that the programs of this project use: a program of two megabytes, and a bundler for it.
 *
 * @example
 * ```ts
 * import { bundle, compileBundle } from "@kata-ts/quickjs";
 *
 * await bundle(["src/main.ts"], "main.js"); // node:* is this package's
 * await compileBundle(engine, "main.js", "main.kjs"); // engine: what prepareScriptEngine() of @kata-ts/guest-image gives
 * ```
 *
 * @module
 */
export { type BundleInParts, bundle, bundleInParts } from "./bundle/bundle.ts";
export { compileBundle } from "./bundle/compile.ts";
export { makeExecutable } from "./bundle/executable.ts";
export { lackingGlobals } from "./bundle/lacking.ts";
