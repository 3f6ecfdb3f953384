import { resumeContainer } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../commands.ts";
import { openForExisting } from "../context.ts";
import { onlyId } from "./required.ts";

export const manual: Manual = {
  operands: "CONTAINER",
  options: {},
};

export const verb: Verb = async (args, context) => {
  await resumeContainer(
    onlyId("resume", parseAnywhere(args, manual.options).words),
    openForExisting(context).environment,
  );
  return 0;
};
