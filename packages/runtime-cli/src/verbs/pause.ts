import { openForExisting } from "@kata-ts/runtime";
import { pauseContainer } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { onlyId } from "./required.ts";

export const manual: Manual = {
  operands: "CONTAINER",
  options: {},
};

export const verb: Verb = async (args, context) => {
  const id = onlyId("pause", parseAnywhere(args, manual.options).words);
  await pauseContainer(id, await (await openForExisting(context, id)).ports("store", "connectAgent"));
  return 0;
};
