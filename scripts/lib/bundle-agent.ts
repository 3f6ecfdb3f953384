import { copyFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Candidate } from "@kata-ts/guest-image";
import { bundle, compileBundle } from "@kata-ts/quickjs";
import type { Metafile } from "esbuild";
import { engineLacks } from "./engine-lacking.ts";
import { AGENT_DIST, packageDir, ROOT } from "./paths.ts";
import { packagesOf } from "./sbom.ts";

export interface AgentBundle {
  readonly directory: string;
  /** Directories of the npm packages that are in it. */
  readonly npm: readonly string[];
  /** The source that the engine is compiled of. */
  readonly runner: Candidate;
}

const MAIN: string = join(packageDir("agent"), "dist/main.js");

/** The agent for the guest: bytecode, and the engine that it belongs to. @param directory is made anew */
export async function bundleAgent(directory: string = AGENT_DIST): Promise<AgentBundle> {
  await rm(directory, { recursive: true, force: true });
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
