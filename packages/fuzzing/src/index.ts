/**
 * Property tests of parsers whose input comes from others. Each is a target of `pnpm fuzz`, too, which goes on for as
 * long as it is told.
 *
 * @module
 */
export { fuzz, throwsOnly } from "./fuzz.ts";
export { mutated, mutatedBytes } from "./mutate.ts";
