import { openForExisting } from "@kata-ts/runtime";
import { resumeContainer } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { onlyId } from "./required.ts";

export const manual: Manual = {
  operands: "CONTAINER",
  options: {},
};

export const verb: Verb = async (args, context) => {
  const id = onlyId("resume", parseAnywhere(args, manual.options).words);
  await resumeContainer(id, await (await openForExisting(context, id)).ports("store", "connectAgent"));
  return 0;
};
