import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../main.ts";
import { CREATE_OPTIONS, createFromBundle } from "./create-options.ts";

export const verb: Verb = async (args, context) => {
  await createFromBundle("create", parseAnywhere(args, CREATE_OPTIONS), context);
  return 0;
};
