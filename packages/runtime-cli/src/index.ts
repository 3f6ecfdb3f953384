/**
 * kata-runtime as a library: the OCI command line, callable.
 *
 * @module
 */
export { main, type Verb } from "./main.ts";
