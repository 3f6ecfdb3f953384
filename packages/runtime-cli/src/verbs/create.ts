import { parseAnywhere } from "../arguments/parse.ts";
import { openRuntime } from "../context.ts";
import type { Verb } from "../main.ts";
import { CREATE_OPTIONS, createFromBundle } from "./create-options.ts";

export const verb: Verb = async (args, context) => {
  await createFromBundle("create", parseAnywhere(args, CREATE_OPTIONS), openRuntime(context), context.log);
  return 0;
};
