import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { FEATURES } from "../output/features.ts";
import { print } from "../output/print.ts";

export const manual: Manual = {
  operands: "",
  options: {},
};

/** The specification's feature document: what a config.json may ask of this runtime. */
export const verb: Verb = (args) => {
  parseAnywhere(args, manual.options);
  print(`${JSON.stringify(FEATURES, null, 4)}\n`);
  return Promise.resolve(0);
};
