import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { GuestImageError } from "./errors.ts";

/** Files of the guest that are written by hand. */
export const TEMPLATE_DIR: string = fileURLToPath(new URL("../rootfs", import.meta.url));

/** Where the agent is in the guest. */
export const AGENT_DIRECTORY = "usr/lib/kata-agent";

export interface RootfsInputs {
  /**
   * The agent: a directory with `agent.cjs` and the koffi that it needs, for Node; or one with `agent.kjs`, and `kata-js` that runs it.
   */
  readonly agentDir: string;
  /** A Node binary for linux-x64, for an agent that needs it. The guest has none otherwise. */
  readonly nodeBinary?: string;
}

/** What runs the agent, as far as an image differs by it. */
export interface AgentEngine {
  /** What it needs of the distribution. */
  readonly packages: readonly string[];
  /** Programs of its own with shared libraries: where they are, and below /usr. */
  readonly programs: readonly { readonly from: string; readonly to: string }[];
  /** The end of the guest's init. */
  readonly start: string;
}

/** @throws GuestImageError for an agent that needs Node where none is given */
export async function engineOfAgent({ agentDir, nodeBinary }: RootfsInputs): Promise<AgentEngine> {
  if (existsSync(join(agentDir, "agent.kjs"))) {
    // A static program: its bytecode belongs to the very build that is beside it.
    return { packages: [], programs: [], start: await startOf("quickjs") };
  }
  if (nodeBinary === undefined) {
    throw new GuestImageError(`the agent in ${agentDir} runs on Node, and none is given`, "name one: nodeBinary");
  }
  return {
    packages: ["libatomic1", "libstdc++6"],
    programs: [{ from: nodeBinary, to: "bin/node" }],
    start: await startOf("node"),
  };
}

function startOf(engine: string): Promise<string> {
  return readFile(join(TEMPLATE_DIR, `start-${engine}`), "utf8");
}
