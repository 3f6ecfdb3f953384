import { pauseContainer } from "@kata-ts/virtcontainers";
import { parseAnywhere } from "../arguments/parse.ts";
import { openRuntime } from "../context.ts";
import type { Verb } from "../main.ts";
import { onlyId } from "./required.ts";

export const verb: Verb = async (args, context) => {
  await pauseContainer(onlyId("pause", parseAnywhere(args, {}).words), openRuntime(context).environment);
  return 0;
};
