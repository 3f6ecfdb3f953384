import { type GlobalArguments, parseGlobals } from "./arguments/globals.ts";
import { UsageError } from "./arguments/parse.ts";
import { configurationPaths, findInstallation } from "./config/installation.ts";
import type { Context } from "./context.ts";
import { Log } from "./output/log.ts";
import { usage } from "./output/usage.ts";
import { COMMIT, OCI_VERSION, VERSION } from "./version.ts";

/** A verb: its arguments to an exit status. */
export type Verb = (args: readonly string[], context: Context) => Promise<number>;

/** Each verb's code is loaded only when it is called. */
const VERBS: Readonly<Record<string, () => Promise<{ readonly verb: Verb }>>> = {
  checkpoint: () => import("./verbs/checkpoint.ts"),
  create: () => import("./verbs/create.ts"),
  delete: () => import("./verbs/delete.ts"),
  events: () => import("./verbs/events.ts"),
  exec: () => import("./verbs/exec.ts"),
  features: () => import("./verbs/features.ts"),
  gc: () => import("./verbs/gc.ts"),
  "kata-engine": () => import("./verbs/kata-engine.ts"),
  "kata-network": () => import("./verbs/kata-network.ts"),
  kill: () => import("./verbs/kill.ts"),
  list: () => import("./verbs/list.ts"),
  pause: () => import("./verbs/pause.ts"),
  ps: () => import("./verbs/ps.ts"),
  restore: () => import("./verbs/restore.ts"),
  resume: () => import("./verbs/resume.ts"),
  run: () => import("./verbs/run.ts"),
  spec: () => import("./verbs/spec.ts"),
  start: () => import("./verbs/start.ts"),
  state: () => import("./verbs/state.ts"),
  update: () => import("./verbs/update.ts"),
};

/** runc's exit status for an exec that did not come about: others are the process's own. */
const EXEC_FAILURE = 255;

/**
 * Runs kata-runtime. Returns the exit status: 0, 1 for any failure, or the process's own for `run` and `exec`.
 *
 * @param libexec the directory that the installed bundles are in
 */
export async function main(argv: readonly string[], libexec: string): Promise<number> {
  let log = new Log({ file: undefined, format: "text", debug: false });
  let failure = 1;
  try {
    const globals = parseGlobals(argv);
    if (globals.verb === "exec") failure = EXEC_FAILURE;
    log = new Log({ file: globals.log, format: globals.logFormat, debug: globals.debug });
    const context = { globals, log, installation: findInstallation(libexec) };
    return answerWithoutVerb(context) ?? (await runVerb(globals, context));
  } catch (error) {
    log.error(describe(error));
    return failure;
  }
}

function answerWithoutVerb({ globals, installation }: Context): number | undefined {
  if (globals.version) {
    process.stdout.write(`kata-runtime  : ${VERSION}\n   commit   : ${COMMIT}\n   OCI specs: ${OCI_VERSION}\n`);
    return 0;
  }
  if (globals.showConfigPaths) {
    process.stdout.write(`${configurationPaths(installation).join("\n")}\n`);
    return 0;
  }
  if (globals.help || globals.verb === undefined || globals.verb === "help") {
    process.stdout.write(usage(Object.keys(VERBS)));
    return 0;
  }
  return undefined;
}

async function runVerb(globals: GlobalArguments, context: Context): Promise<number> {
  const name = globals.verb ?? "";
  const load = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (load === undefined) throw new UsageError(`Invalid command "${name}"`);
  const { verb } = await load();
  context.log.debug(`${name} ${globals.rest.join(" ")}`);
  const status = await verb(globals.rest, context);
  context.log.debug(`${name} ends with ${String(status)}`);
  return status;
}

/** One line: what failed, why, what to do. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { hint } = error as Error & { hint?: string };
  return hint === undefined ? error.message : `${error.message} (${hint})`;
}
