import { rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "esbuild";
import { builtins } from "./builtins.ts";
import { copyKoffi } from "./koffi.ts";
import { AGENT_DIST, packageDir } from "./paths.ts";
import { packagesOf } from "./sbom.ts";

export interface AgentBundle {
  readonly directory: string;
  /** Directories of the npm packages that are in it. */
  readonly npm: readonly string[];
}

/** The agent as one CommonJS file for the guest, with the native part that it needs beside it. */
export async function bundleAgent(): Promise<AgentBundle> {
  await rm(AGENT_DIST, { recursive: true, force: true });
  const { metafile } = await build({
    bundle: true,
    minify: true,
    platform: "node",
    format: "cjs",
    target: "node26",
    logLevel: "warning",
    metafile: true,
    entryPoints: [join(packageDir("agent"), "dist/main.js")],
    outfile: join(AGENT_DIST, "agent.cjs"),
    external: ["koffi"],
    plugins: [builtins],
    define: { "import.meta.url": "__agentUrl" },
    banner: { js: 'const __agentUrl = require("node:url").pathToFileURL(__filename).href;' },
  });
  const koffi = await copyKoffi(join(AGENT_DIST, "node_modules"));
  return { directory: AGENT_DIST, npm: [...packagesOf(metafile), ...koffi] };
}
