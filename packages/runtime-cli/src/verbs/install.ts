import { dirname } from "node:path";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { installTree } from "../install/tree.ts";
import { print } from "../output/print.ts";

export const manual: Manual = {
  operands: "PREFIX",
  options: {},
  notes: [
    "Copies programs, guest and configuration to PREFIX/bin, PREFIX/libexec/kata-ts and PREFIX/share/kata-ts.",
    "No engine is configured: kata-engine does that.",
  ],
  examples: ["install /usr/local", "install /opt/kata-ts"],
};

/** Everything is there already: it works without a network. */
export const verb: Verb = async (args, { installation }) => {
  const { words } = parseAnywhere(args, manual.options);
  const [prefix, ...more] = words;
  if (prefix === undefined || more.length > 0) throw new UsageError('"install" requires exactly 1 argument: a prefix');
  await installTree(dirname(dirname(installation.runtime)), prefix);
  print(`installed below ${prefix}; for an engine: ${prefix}/bin/kata-runtime kata-engine ENGINE\n`);
  return 0;
};
