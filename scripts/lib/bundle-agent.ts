import { rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type BuildOptions, build, type Plugin } from "esbuild";
import { builtins } from "./builtins.ts";
import { copyKoffi } from "./koffi.ts";
import { AGENT_DIST, packageDir } from "./paths.ts";
import { packagesOf } from "./sbom.ts";

const OPTIONS = {
  bundle: true,
  minify: true,
  platform: "node",
  format: "cjs",
  target: "node26",
  logLevel: "warning",
  metafile: true,
} as const satisfies BuildOptions;

/** Two thirds of the agent's code, for guests whose host speaks gRPC only: the others do not even read it. */
const grpcBesides: Plugin = {
  name: "grpc-besides",
  setup: (build) => {
    build.onResolve({ filter: /^@grpc\/grpc-js$/ }, () => ({ path: "./grpc-js.cjs", external: true }));
  },
};

export interface AgentBundle {
  readonly directory: string;
  /** Directories of the npm packages that are in it. */
  readonly npm: readonly string[];
}

/** The agent as one CommonJS file for the guest, with gRPC and the native part that it needs beside it. */
export async function bundleAgent(): Promise<AgentBundle> {
  await rm(AGENT_DIST, { recursive: true, force: true });
  const agent = await build({
    ...OPTIONS,
    entryPoints: [join(packageDir("agent"), "dist/main.js")],
    outfile: join(AGENT_DIST, "agent.cjs"),
    external: ["koffi"],
    plugins: [grpcBesides, builtins],
    define: { "import.meta.url": "__agentUrl" },
    banner: { js: 'const __agentUrl = require("node:url").pathToFileURL(__filename).href;' },
  });
  const protocol = createRequire(join(packageDir("agent-protocol"), "package.json"));
  const grpc = await build({
    ...OPTIONS,
    entryPoints: [protocol.resolve("@grpc/grpc-js")],
    outfile: join(AGENT_DIST, "grpc-js.cjs"),
  });
  const koffi = await copyKoffi(join(AGENT_DIST, "node_modules"));
  return { directory: AGENT_DIST, npm: [...packagesOf(agent.metafile), ...packagesOf(grpc.metafile), ...koffi] };
}
