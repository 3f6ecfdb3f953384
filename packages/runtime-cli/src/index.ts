/**
 * kata-runtime as a library: the OCI command line, callable.
 *
 * @module
 */

export type { Verb } from "./context.ts";
export { main } from "./main.ts";
