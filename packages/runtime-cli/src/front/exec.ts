import type { Manual } from "../arguments/manual.ts";
import { parseLeading } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { verb as exec } from "../verbs/exec.ts";
import { parseVariables } from "./request.ts";

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
    user: { type: "string", short: "u", value: "UID[:GID]", about: "as whom" },
    workdir: { type: "string", short: "w", value: "DIR", about: "working directory" },
  },
  notes: ["Ends with the command's own exit status; 127: there is no such command, 126: it cannot be run."],
  examples: ["exec web ps", "exec -it web sh"],
};

/** The runtime's verb, with the spellings that people know. */
export const verb: Verb = (args, context) => {
  const { options, words } = parseLeading(args, manual.options);
  const [user, cwd] = [options.text("user"), options.text("workdir")];
  const asked = [
    ...(options.flag("tty") ? ["--tty"] : []),
    ...parseVariables(options.list("env")).flatMap((variable) => ["--env", variable]),
    ...(user === undefined ? [] : ["--user", user]),
    ...(cwd === undefined ? [] : ["--cwd", cwd]),
  ];
  return exec([...asked, ...words], context);
};
