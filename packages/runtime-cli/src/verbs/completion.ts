import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import { bashScript } from "../completion/bash.ts";
import { type CompletedCommand, completedCommands } from "../completion/completed.ts";
import { fishScript } from "../completion/fish.ts";
import { zshScript } from "../completion/zsh.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";

export const manual: Manual = {
  operands: "bash|zsh|fish",
  options: {},
  examples: [
    "completion bash > /etc/bash_completion.d/kata-runtime",
    "completion zsh > /usr/local/share/zsh/site-functions/_kata-runtime",
    "completion fish > /etc/fish/completions/kata-runtime.fish",
  ],
};

const SCRIPTS: Readonly<Record<string, (commands: readonly CompletedCommand[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/** Prints a script that completes commands, their options, container ids and files. */
export const verb: Verb = async (args, { commands }) => {
  const [shell = "", ...more] = parseAnywhere(args, manual.options).words;
  const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
  if (script === undefined || more.length > 0) {
    throw new UsageError('"completion" requires a shell it knows: bash, zsh or fish');
  }
  print(script(await completedCommands(commands)));
  return 0;
};
