// Starts the agent's bundle from V8's code cache: compiling it would cost half a second under emulation. The cache is
// made on the build host by running this file with --make-cache and V8's flags; V8 takes it on any CPU of the same
// architecture, but for the same flags only. It has all functions, also those that are not called at the start: a first
// `exec` took 12 % less with them.
"use strict";
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const { wrap } = require("node:module");
const { join } = require("node:path");
const { Script, constants } = require("node:vm");

// What init tells this program's allocator is not for those that it starts.
for (const name of ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"]) delete process.env[name];

const filename = join(__dirname, "agent.cjs");
const cacheFile = join(__dirname, process.execArgv.includes("--no-opt") ? "agent-interpreted.cache" : "agent.cache");
const making = process.argv.includes("--make-cache");
if (making) require("node:v8").setFlagsFromString("--no-lazy"); // Nobody else needs that module.
const script = new Script(wrap(readFileSync(filename, "utf8")), {
  filename,
  cachedData: existsSync(cacheFile) ? readFileSync(cacheFile) : undefined,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
if (script.cachedDataRejected) console.error("kata-agent: the code cache was rejected");
script.runInThisContext()(exports, require, module, filename, __dirname);
if (making) {
  require("node:v8").setFlagsFromString("--lazy"); // As in the guest, or V8 would reject it there.
  writeFileSync(cacheFile, script.createCachedData());
}
