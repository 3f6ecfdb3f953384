import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { CREATE_OPTIONS, createFromBundle } from "./create-options.ts";

export const manual: Manual = {
  operands: "CONTAINER",
  options: { ...CREATE_OPTIONS },
  examples: ["create --bundle /srv/web web"],
};

export const verb: Verb = async (args, context) => {
  await createFromBundle("create", parseAnywhere(args, manual.options), context);
  return 0;
};
