import { COMMIT, findInstallation, VERSION } from "@kata-ts/runtime";
import { parseGlobals, runtimeSettings } from "../arguments/globals.ts";
import { UsageError } from "../arguments/parse.ts";
import { COMMANDS } from "../commands.ts";
import type { Command, Context } from "../context.ts";
import { Log } from "../output/log.ts";
import { print } from "../output/print.ts";
import { Timeline } from "../output/timeline.ts";
import { failureOf } from "./failure.ts";

/** What people need; each works through the same verbs, and on the same containers, as an engine's calls. */
const FRONT: Readonly<Record<string, Command>> = {
  run: { summary: "run a command in a virtual machine of its own", load: () => import("./run.ts") },
  ps: { summary: "list what runs", load: () => import("../verbs/list.ts") },
  exec: { summary: "run another command beside it", load: () => import("./exec.ts") },
  stop: { summary: "end it: first politely, after ten seconds by force", load: () => import("./stop.ts") },
  logs: { summary: "show what it has written, or what its virtual machine said", load: () => import("./logs.ts") },
};

const HELP: readonly string[] = ["-h", "--help", "help"];

/** Runs `kata`: containers for people, without an engine. Returns the exit status. */
export async function kata(argv: readonly string[], libexec: string): Promise<number> {
  const log = new Log({ file: undefined, format: "plain", debug: false });
  try {
    const globals = parseGlobals(argv);
    if (globals.version) {
      print(`kata ${VERSION}, commit ${COMMIT}\n`);
      return 0;
    }
    const [topic] = globals.rest;
    if (globals.verb === "help" && topic !== undefined) return await explain(topic);
    if (globals.help || globals.verb === undefined || HELP.includes(globals.verb)) {
      print(await usage());
      return 0;
    }
    const { verb } = await commandOf(globals.verb).load();
    if (HELP.includes(topic ?? "")) return await explain(globals.verb);
    if (globals.debug) log.enableDebug();
    using timeline = new Timeline(globals.timing);
    timeline.note("program loaded");
    const installation = findInstallation(libexec);
    const context: Context = { ...runtimeSettings(globals), globals, log, timeline, installation, commands: COMMANDS };
    const status = await verb(globals.rest, context);
    await context.tracing?.export(`kata ${globals.verb}`, undefined, (message) => {
      log.warning(message);
    });
    return status;
  } catch (error) {
    const { message, status } = failureOf(error);
    log.error(message);
    return status;
  }
}

function commandOf(name: string): Command {
  const command = Object.hasOwn(FRONT, name) ? FRONT[name] : undefined;
  if (command === undefined) throw new UsageError(`no command "${name}": see kata --help`);
  return command;
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
