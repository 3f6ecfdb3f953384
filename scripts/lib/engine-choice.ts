/** The programs of an installation that can leave Node. */
export type Program = "kata-agent" | "kata-shim" | "kata-proxy" | "kata-runtime" | "containerd-shim-kata-v2";

export type Engine = "node" | "quickjs";

/** What each runs on unless the build is asked for something else. */
const DEFAULTS: Readonly<Record<Program, Engine>> = {
  "kata-agent": "quickjs",
  "kata-shim": "quickjs",
  "kata-proxy": "quickjs",
  "kata-runtime": "quickjs",
  "containerd-shim-kata-v2": "quickjs",
};

export function isEngineProgram(name: string): name is Program {
  return Object.hasOwn(DEFAULTS, name);
}

/** `KATA_TS_ENGINE=node` or `quickjs` at a build chooses for all of them. */
export function engineOf(program: Program): Engine {
  const { KATA_TS_ENGINE: asked } = process.env;
  if (asked === undefined || asked === "") return DEFAULTS[program];
  if (asked !== "node" && asked !== "quickjs") throw new Error(`KATA_TS_ENGINE=${asked}: it is "node" or "quickjs"`);
  return asked;
}

/** All of them: a tree that was built with others is not the one that is asked for. */
export function chosenEngines(): Readonly<Record<string, Engine>> {
  return Object.fromEntries(Object.keys(DEFAULTS).map((program) => [program, engineOf(program as Program)]));
}
