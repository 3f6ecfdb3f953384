import { configurationPaths, describeForAdministrators, findInstallation } from "@kata-ts/runtime";
import { GLOBAL_OPTIONS, type GlobalArguments, parseGlobals, runtimeSettings } from "./arguments/globals.ts";
import { UsageError } from "./arguments/parse.ts";
import { COMMANDS, findCommand } from "./commands.ts";
import type { Command, Context } from "./context.ts";
import { Log } from "./output/log.ts";
import { print } from "./output/print.ts";
import { Timeline } from "./output/timeline.ts";
import { versionText } from "./output/version-text.ts";

/** runc's exit status for an exec that did not come about: others are the process's own. */
const EXEC_FAILURE = 255;

/** Kata's name, by which tools find its logs. */
const LOG_FIELDS = { name: "kata-runtime", source: "runtime" };

const HELP: readonly string[] = ["-h", "-help", "--help"];

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
    const fields = { ...LOG_FIELDS, pid: String(process.pid), command: globals.verb ?? "" };
    log = new Log({ file: globals.log, format: globals.logFormat, debug: globals.debug, fields });
    using timeline = new Timeline(globals.timing);
    const installation = findInstallation(libexec);
    const context: Context = { ...runtimeSettings(globals), globals, log, timeline, installation, commands: COMMANDS };
    return (await answerWithoutVerb(context)) ?? (await runVerb(globals, context));
  } catch (error) {
    log.error(describe(error));
    return failure;
  }
}

async function answerWithoutVerb({ globals, installation }: Context): Promise<number | undefined> {
  const { version, showConfigPaths, help, verb, rest } = globals;
  if (version) {
    print(versionText());
    return 0;
  }
  if (showConfigPaths) {
    print(`${configurationPaths(installation).join("\n")}\n`);
    return 0;
  }
  const [topic] = rest;
  if (verb === "help" && topic !== undefined && !help) return explain(topic, commandOf(topic).command);
  if (help || verb === undefined || verb === "help") {
    const { usage } = await import("./output/usage.ts");
    const summaries = Object.entries(COMMANDS).map(([name, { summary }]) => [name, summary]);
    print(usage(Object.fromEntries(summaries) as Record<string, string>, GLOBAL_OPTIONS));
    return 0;
  }
  return undefined;
}

async function runVerb(globals: GlobalArguments, context: Context): Promise<number> {
  const { name, command } = commandOf(globals.verb ?? "");
  // Only in front: what stands behind a container's id may be the container's command.
  if (HELP.includes(globals.rest[0] ?? "")) return explain(name, command);
  const { verb } = await command.load();
  context.timeline.note("program loaded");
  context.log.debug(`${name} ${globals.rest.join(" ")}`);
  try {
    const status = await verb(globals.rest, context);
    context.log.debug(`${name} ends with ${String(status)}`);
    await sendTrace(name, undefined, context);
    return status;
  } catch (error) {
    await sendTrace(name, describe(error), context);
    throw error;
  }
}

async function sendTrace(name: string, failure: string | undefined, { tracing, log }: Context): Promise<void> {
  await tracing?.export(`kata-runtime ${name}`, failure, (message) => {
    log.warning(message);
  });
}

function commandOf(name: string): { readonly name: string; readonly command: Command } {
  const found = findCommand(name);
  if (found === undefined) throw new UsageError(`Invalid command "${name}"`);
  return found;
}

async function explain(name: string, { summary, load }: Command): Promise<number> {
  const { manualPage } = await import("./output/manual.ts");
  print(manualPage(name, summary, (await load()).manual));
  return 0;
}

/** One line: what failed, why, what to do. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { hint } = error as Error & { hint?: string };
  return describeForAdministrators(error.message, hint);
}
