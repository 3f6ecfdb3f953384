import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import { completedProgram } from "../completion/completed.ts";
import { scriptFor } from "../completion/script.ts";
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

const LISTS = { containers: "kata-runtime list --quiet 2>/dev/null" };

/** Prints a script that completes commands, their options, container ids and files. */
export const verb: Verb = async (args, { commands }) => {
  const script = scriptFor(parseAnywhere(args, manual.options).words);
  print(script(await completedProgram("kata-runtime", commands, LISTS)));
  return 0;
};
