import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BuildRoot, WORK } from "./build-root/run.ts";
import { fileDigest } from "./cache.ts";
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
  /** Programs of its own with shared libraries, below /usr. */
  readonly programs: readonly string[];
  /** What an image is made of beside the agent's directory. */
  readonly keys: readonly string[];
  /** The end of the guest's init. */
  readonly start: string;
  /** @param dir the agent's directory below `staging` */
  install(staging: string, dir: string): Promise<void>;
}

/** @throws GuestImageError for an agent that needs Node where none is given */
export async function engineOfAgent({ agentDir, nodeBinary }: RootfsInputs): Promise<AgentEngine> {
  if (existsSync(join(agentDir, "agent.kjs"))) return quickjs();
  if (nodeBinary !== undefined) return node(nodeBinary);
  throw new GuestImageError(`the agent in ${agentDir} runs on Node, and none is given`, "name one: nodeBinary");
}

/** A static program: its bytecode belongs to the very build that is beside it. */
async function quickjs(): Promise<AgentEngine> {
  const start = await readFile(join(TEMPLATE_DIR, "start-quickjs"), "utf8");
  return { packages: [], programs: [], keys: [start], start, install: async () => undefined };
}

async function node(binary: string): Promise<AgentEngine> {
  const launcher = join(TEMPLATE_DIR, "launch.cjs");
  const start = await readFile(join(TEMPLATE_DIR, "start-node"), "utf8");
  return {
    packages: ["libatomic1", "libstdc++6"],
    programs: ["bin/node"],
    keys: [await fileDigest(binary), await readFile(launcher, "utf8"), start],
    start,
    install: async (staging, dir) => {
      await copyFile(binary, join(staging, "usr/bin/node"));
      await copyFile(launcher, join(dir, "launch.cjs"));
      // By the guest's own libraries, not the host's.
      await mkdir(join(staging, WORK));
      await makeCodeCaches(new BuildRoot(staging, ""), dir);
      await rm(join(staging, WORK), { recursive: true });
    },
  };
}

const NODE_FLAGS = ["--max-semi-space-size=2"];
/** V8's flags that the guest's init may start the agent with: it has a code cache for each. */
export const AGENT_FLAGS: readonly (readonly string[])[] = [
  NODE_FLAGS,
  [...NODE_FLAGS, "--no-sparkplug", "--no-maglev", "--no-opt"],
];

/** Strings in a code cache are ordered by hashes, whose seed is another one in each process. */
const SAME_EACH_TIME = "--hash-seed=1";

/** @param dir with the agent and the program that launches it; exported for tests */
export async function makeCodeCaches(guest: Pick<BuildRoot, "run">, dir: string): Promise<void> {
  for (const flags of AGENT_FLAGS) {
    await guest.run(dir, ["node", ...flags, SAME_EACH_TIME, `${WORK}/launch.cjs`, "--make-cache"]);
  }
}
