import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { versionText } from "../output/version-text.ts";

export const manual: Manual = { operands: "", options: {}, notes: ["The same as kata-runtime --version."] };

/** Kata 1.x's verb for it. */
export const verb: Verb = (args) => {
  const { words } = parseAnywhere(args, manual.options);
  if (words.length > 0) throw new UsageError(`"version" takes no arguments: ${words.join(" ")}`);
  print(versionText());
  return Promise.resolve(0);
};
