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
    "completion bash > /etc/bash_completion.d/kata",
    "completion zsh > /usr/local/share/zsh/site-functions/_kata",
    "completion fish > /etc/fish/completions/kata.fish",
  ],
};

const LISTS = {
  containers: "kata ps --all --quiet 2>/dev/null",
  images: "kata images --format name 2>/dev/null",
};

/** Prints a script that completes commands, their options, containers, images and files. */
export const verb: Verb = async (args, { commands }) => {
  const script = scriptFor(parseAnywhere(args, manual.options).words);
  print(script(await completedProgram("kata", commands, LISTS)));
  return 0;
};
