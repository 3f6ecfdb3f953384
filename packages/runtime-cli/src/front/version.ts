import { COMMIT, VERSION } from "@kata-ts/runtime";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";

export const manual: Manual = { operands: "", options: {}, notes: ["The same as kata --version."] };

export function versionLine(): string {
  return `kata ${VERSION}, commit ${COMMIT}\n`;
}

export const verb: Verb = (args) => {
  const { words } = parseAnywhere(args, manual.options);
  if (words.length > 0) throw new UsageError(`"version" takes no arguments: ${words.join(" ")}`);
  print(versionLine());
  return Promise.resolve(0);
};
