/**
 * kata-runtime as a library: the OCI command line, callable.
 *
 * @module
 */
export { exampleFile, optionsTable } from "./config/pages.ts";
export { main, type Verb } from "./main.ts";
