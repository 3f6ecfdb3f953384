import type { Manual } from "../arguments/manual.ts";
import type { Verb } from "../commands.ts";
import { verb as exec, manual as runtimeManual } from "../verbs/exec.ts";

const { cwd, env, tty, user } = runtimeManual.options as Required<Manual["options"]>;

export const manual: Manual = {
  operands: runtimeManual.operands,
  options: {
    interactive: { type: "boolean", short: "i", about: "it reads what is typed: it always does" },
    ...(tty && { tty }),
    ...(env && { env }),
    ...(user && { user }),
    ...(cwd && { cwd }),
  },
  examples: ["exec web ps", "exec -it web sh"],
};

const INTERACTIVE: Readonly<Record<string, readonly string[]>> = {
  "-i": [],
  "--interactive": [],
  "-it": ["-t"],
  "-ti": ["-t"],
};

/** The runtime's verb, which always passes on what is typed. */
export const verb: Verb = (args, context) => {
  const words = args.findIndex((arg) => !arg.startsWith("-"));
  const leading = args.slice(0, words === -1 ? undefined : words).flatMap((arg) => INTERACTIVE[arg] ?? [arg]);
  return exec([...leading, ...(words === -1 ? [] : args.slice(words))], context);
};
