/**
 * kata-runtime as a library: the OCI command line, callable.
 *
 * @module
 */

export type { Verb } from "./commands.ts";
export { exampleFile, optionsTable, withoutEffectTable } from "./config/pages.ts";
export { main } from "./main.ts";
