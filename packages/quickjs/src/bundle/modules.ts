import { join } from "node:path";

const NODE = join(import.meta.dirname, "..", "node");

/** What is imported as a module of Node's, by name, and the file that stands for it. */
const MODULES = {
  async_hooks: "async-hooks.ts",
  buffer: "buffer.ts",
  child_process: "child-process.ts",
  crypto: "crypto.ts",
  dgram: "dgram.ts",
  events: "events.ts",
  fs: "fs.ts",
  "fs/promises": "fs-promises.ts",
  module: "module.ts",
  net: "net.ts",
  os: "os.ts",
  path: "path.ts",
  "path/posix": "path.ts",
  perf_hooks: "performance.ts",
  process: "process.ts",
  stream: "stream.ts",
  "stream/consumers": "stream-consumers.ts",
  "stream/promises": "stream-promises.ts",
  string_decoder: "string-decoder.ts",
  timers: "timers.ts",
  "timers/promises": "timers-promises.ts",
  tty: "tty.ts",
  url: "url.ts",
  util: "util.ts",
  v8: "v8.ts",
  vm: "vm.ts",
} as const;

/** What readable-stream imports by other names. */
const FOR_LIBRARIES = {
  "process/": "process-for-streams.ts",
  "string_decoder/": "string-decoder.ts",
  "abort-controller": "dom/abort.ts",
  koffi: "koffi.ts",
} as const;

const FILES: ReadonlyMap<string, string> = new Map([
  ...Object.entries(MODULES).flatMap(([name, file]) => [[name, file] as const, [`node:${name}`, file] as const]),
  ...Object.entries(FOR_LIBRARIES),
]);

export const GLOBALS: string = join(NODE, "globals.ts");

/** Whether a file is of those that stand for modules of Node's. */
export function isOurs(file: string): boolean {
  return file.startsWith(`${NODE}/`);
}

/** The file that stands for a module of Node's; undefined for what is none, or is not here. */
export function fileOf(module: string): string | undefined {
  const file = FILES.get(module);
  return file === undefined ? undefined : join(NODE, file);
}
