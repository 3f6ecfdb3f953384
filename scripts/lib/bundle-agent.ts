import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { bundle, compileBundle } from "@kata-ts/quickjs";
import { build, type Metafile } from "esbuild";
import { builtins } from "./builtins.ts";
import { type Engine, engineOf } from "./engine-choice.ts";
import { engineLacks } from "./engine-lacking.ts";
import { copyKoffi } from "./koffi.ts";
import { AGENT_DIST, packageDir, ROOT } from "./paths.ts";
import { packagesOf, type Runner } from "./sbom.ts";

export interface AgentBundle {
  readonly directory: string;
  /** Directories of the npm packages that are in it. */
  readonly npm: readonly string[];
  readonly runner: Runner;
}

const MAIN: string = join(packageDir("agent"), "dist/main.js");

/** The agent for the guest, and what it needs beside it. */
export async function bundleAgent(
  engine: Engine = engineOf("kata-agent"),
  directory: string = AGENT_DIST,
): Promise<AgentBundle> {
  await rm(directory, { recursive: true, force: true });
  return engine === "node" ? forNode(directory) : forQuickjs(directory);
}

/** One CommonJS file, and the native part that it needs. */
async function forNode(directory: string): Promise<AgentBundle> {
  const { metafile } = await build({
    bundle: true,
    minify: true,
    platform: "node",
    format: "cjs",
    target: "node26",
    logLevel: "warning",
    metafile: true,
    entryPoints: [MAIN],
    outfile: join(directory, "agent.cjs"),
    external: ["koffi"],
    plugins: [builtins],
    define: { "import.meta.url": "__agentUrl" },
    banner: { js: 'const __agentUrl = require("node:url").pathToFileURL(__filename).href;' },
  });
  const koffi = await copyKoffi(join(directory, "node_modules"));
  return { directory, npm: [...packagesOf(metafile), ...koffi], runner: "node" };
}

/** Bytecode, and the engine that it belongs to. */
async function forQuickjs(directory: string): Promise<AgentBundle> {
  // Compiled a moment ago: not there when this file was loaded.
  const { prepareScriptEngine } = await import("@kata-ts/guest-image");
  const { program, source } = await prepareScriptEngine({ native: join(packageDir("quickjs"), "native") });
  const text = join(directory, "agent.js");
  const metafile = await bundleAgentText(text);
  await compileBundle(program, text, join(directory, "agent.kjs"));
  await rm(text);
  await copyFile(program, join(directory, "kata-js"));
  return { directory, npm: packagesOf(metafile), runner: source };
}

/** The agent as one module for the engine. @param to where it is written; @param sourcemap one beside it, for stacks */
export async function bundleAgentText(to: string, sourcemap?: "external"): Promise<Metafile> {
  // Compiled a moment ago: not there when this file was loaded.
  const { prepareScriptEngine } = await import("@kata-ts/guest-image");
  const { program } = await prepareScriptEngine({ native: join(packageDir("quickjs"), "native") });
  return bundle([MAIN], to, {
    absWorkingDir: ROOT,
    // The agent calls no other by gRPC.
    leftOut: ["node:http2"],
    lacking: await engineLacks(program),
    minifySyntax: true,
    ...(sourcemap === undefined ? {} : { sourcemap }),
  });
}
