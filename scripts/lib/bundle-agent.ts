import { rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { copyKoffi } from "./koffi.ts";
import { AGENT_DIST, packageDir } from "./paths.ts";

/** The agent as one CommonJS file for the guest, with the native part it needs beside it. */
export async function bundleAgent(): Promise<string> {
  await rm(AGENT_DIST, { recursive: true, force: true });
  await build({
    entryPoints: [join(packageDir("agent"), "dist/main.js")],
    outfile: join(AGENT_DIST, "agent.cjs"),
    bundle: true,
    minify: true,
    platform: "node",
    format: "cjs",
    target: "node26",
    external: ["koffi"],
    define: { "import.meta.url": "__agentUrl" },
    banner: { js: 'const __agentUrl = require("node:url").pathToFileURL(__filename).href;' },
    logLevel: "warning",
  });
  await copyKoffi(join(AGENT_DIST, "node_modules"));
  return AGENT_DIST;
}
