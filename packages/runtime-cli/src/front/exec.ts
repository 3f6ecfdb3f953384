import { parseContainerId } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import { parseLeading, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { processBeside } from "../verbs/exec-process.ts";
import { ownProcess, runExec } from "../verbs/run-exec.ts";
import { checkedConsoleSocket } from "../verbs/terminal-options.ts";
import { asUser, parseUser } from "./exec-user.ts";
import { parseVariables, readVariableFiles } from "./variables.ts";

export const manual: Manual = {
  operands: "NAME COMMAND [ARGUMENT …]",
  options: {
    interactive: { type: "boolean", short: "i", about: "it reads what is typed: it always does" },
    tty: { type: "boolean", short: "t", about: "give it a terminal" },
    env: {
      type: "string",
      short: "e",
      multiple: true,
      value: "NAME[=VALUE]",
      about: "environment variable; without a value, the caller's",
    },
    "env-file": { type: "string", multiple: true, value: "FILE", about: "a file of variables, a line each" },
    user: {
      type: "string",
      short: "u",
      value: "USER[:GROUP]",
      about: "user and group to run as, by the container's names or by numbers",
    },
    workdir: { type: "string", short: "w", value: "DIR", about: "working directory" },
  },
  notes: [
    "Ends with the command's own exit status; 127: there is no such command, 126: it cannot be run,",
    "125: there is no such container.",
  ],
  examples: ["exec web ps", "exec -it web sh", "exec -u www-data web id"],
};

export const verb: Verb = async (args, context) => {
  const { options, words } = parseLeading(args, manual.options);
  const [name, ...command] = words;
  if (name === undefined || command.length === 0) throw new UsageError('"exec" requires a container and a command');
  const id = parseContainerId(name);
  const wishes = {
    terminal: options.flag("tty"),
    env: [...readVariableFiles(options.list("env-file")), ...parseVariables(options.list("env"))],
    cwd: options.text("workdir"),
  };
  const own = await ownProcess(id, context);
  const beside = processBeside(own.process, command, wishes);
  const { process, user } = asUser(beside, parseUser(options.text("user")) ?? own.user);
  checkedConsoleSocket(undefined, wishes.terminal, false);
  return runExec({ id, process, detached: false, user }, context);
};
