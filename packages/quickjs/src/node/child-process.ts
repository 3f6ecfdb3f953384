export { execFile } from "./exec-file.ts";
export { ChildProcess, type SpawnOptions, spawn } from "./spawn.ts";
export { execFileSync, spawnSync } from "./spawn-sync.ts";
