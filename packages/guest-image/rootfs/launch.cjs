// Starts the agent's bundle from V8's code cache: compiling it would cost half a second under emulation. The cache is
// made on the build host by running this file with --make-cache and V8's flags; V8 takes it on any CPU of the same
// architecture, but for the same flags only. It has all functions, also those that are not called at the start: a first
// `exec` took 12 % less with them. The same agent gives the same cache: see `steady` below.
"use strict";
const { existsSync, readFileSync, writeFileSync } = require("node:fs");
const { wrap } = require("node:module");
const { join } = require("node:path");
const { Script, constants } = require("node:vm");

// What init tells this program's allocator is not for those that it starts.
for (const name of ["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_"]) delete process.env[name];

const filename = join(__dirname, "agent.cjs");
const interpreted = process.execArgv.includes("--no-opt");
const cacheFile = join(__dirname, interpreted ? "agent-interpreted.cache" : "agent.cache");
const making = process.argv.includes("--make-cache");
const setFlags = (flags) => {
  const { setFlagsFromString } = require("node:v8"); // Nobody else needs that module.
  for (const flag of flags) setFlagsFromString(flag);
};
// Which functions have machine code by now depends on the clock, and would be noted in the cache. V8's flags are set back
// before it is written, with those that only the making has (--no-lazy, --hash-seed): V8 takes a cache for equal flags only.
const steady = ["--no-sparkplug", "--no-maglev", "--no-opt"];
if (making) setFlags(["--no-lazy", ...steady]);
const script = new Script(wrap(readFileSync(filename, "utf8")), {
  filename,
  cachedData: existsSync(cacheFile) ? readFileSync(cacheFile) : undefined,
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
if (script.cachedDataRejected) console.error("kata-agent: the code cache was rejected");
script.runInThisContext()(exports, require, module, filename, __dirname);
if (making) {
  const usual = interpreted ? [] : steady.map((flag) => flag.replace("--no-", "--"));
  setFlags(["--lazy", "--hash-seed=0", ...usual]);
  writeFileSync(cacheFile, script.createCachedData());
}
