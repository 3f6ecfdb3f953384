import { findInstallation } from "@kata-ts/runtime";
import { parseGlobals, runtimeSettings } from "../arguments/globals.ts";
import { UsageError } from "../arguments/parse.ts";
import type { Context } from "../context.ts";
import { Log } from "../output/log.ts";
import { print } from "../output/print.ts";
import { Timeline } from "../output/timeline.ts";
import { FRONT, type FrontCommand, INTERNAL } from "./commands.ts";
import { failureOf } from "./failure.ts";
import { versionLine } from "./version.ts";

/** Docker's commands for what this program's containers cannot do. */
const UNSAVED: readonly string[] = ["checkpoint", "restore"];
const HELP: readonly string[] = ["-h", "--help", "help"];

/** Runs `kata`: containers for people, without an engine. Returns the exit status. */
export async function kata(argv: readonly string[], libexec: string): Promise<number> {
  const log = new Log({ file: undefined, format: "plain", debug: false });
  let failure: number | undefined;
  try {
    const globals = parseGlobals(argv);
    if (globals.version) {
      print(versionLine());
      return 0;
    }
    const [topic] = globals.rest;
    if (globals.verb === "help" && topic !== undefined) return await explain(topic);
    if (globals.help || globals.verb === undefined || HELP.includes(globals.verb)) {
      print(await usage());
      return 0;
    }
    const command = commandOf(globals.verb);
    failure = command.failure;
    const { verb } = await command.load();
    if (HELP.includes(topic ?? "")) return await explain(globals.verb);
    if (globals.debug) log.enableDebug();
    using timeline = new Timeline(globals.timing);
    timeline.note("program loaded");
    const installation = findInstallation(libexec);
    const context: Context = { ...runtimeSettings(globals), globals, log, timeline, installation, commands: FRONT };
    const status = await verb(globals.rest, context);
    await context.tracing?.export(`kata ${globals.verb}`, undefined, (message) => {
      log.warning(message);
    });
    return status;
  } catch (error) {
    const { message, status } = failureOf(error, failure);
    log.error(message);
    return status;
  }
}

function commandOf(name: string): FrontCommand {
  const table = Object.hasOwn(INTERNAL, name) ? INTERNAL : FRONT;
  const command = Object.hasOwn(table, name) ? table[name] : undefined;
  if (command !== undefined) return command;
  if (UNSAVED.includes(name)) {
    throw new UsageError(
      `no command "${name}": the root file system of a container of kata run is a directory, with which it is not saved; kata-runtime ${name} is for those on block devices`,
    );
  }
  throw new UsageError(`no command "${name}": see kata --help`);
}

async function explain(name: string): Promise<number> {
  const command = commandOf(name);
  const { manual } = await command.load();
  const { manualPage } = await import("../output/manual.ts");
  print(manualPage(name, command.summary, manual).replaceAll("kata-runtime ", "kata "));
  return 0;
}

async function usage(): Promise<string> {
  const { manual } = await import("./run.ts");
  const lines = Object.entries(FRONT).map(([name, { summary }]) => `  ${name.padEnd(8)}${summary}`);
  const examples = (manual.examples ?? []).map((line) => `  kata ${line}`);
  return `kata: containers in virtual machines, without an engine

usage: kata [global options] COMMAND [options] [arguments]

commands:
${lines.join("\n")}

examples:
${examples.join("\n")}

kata COMMAND --help shows how a command is called; kata-runtime --help has the global options, and everything else.
`;
}
