import koffi from "./koffi.ts";

/** Modules that a program loads by `require`, not by an import: all of them are in the bundle. */
const MODULES: Readonly<Record<string, unknown>> = { koffi };

export function createRequire(): (name: string) => unknown {
  return (name) => {
    const found = MODULES[name];
    if (found !== undefined) return found;
    throw Object.assign(new Error(`Cannot find module '${name}'`), { code: "MODULE_NOT_FOUND" });
  };
}
