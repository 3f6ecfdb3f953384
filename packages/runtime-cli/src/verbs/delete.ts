import { deleteContainer } from "@kata-ts/virtcontainers";
import { parseAnywhere } from "../arguments/parse.ts";
import { openRuntime } from "../context.ts";
import type { Verb } from "../main.ts";
import { someIds } from "./required.ts";

export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, { force: { type: "boolean", short: "f" } });
  const { environment } = openRuntime(context);
  for (const id of someIds("delete", words)) await deleteContainer(id, { force: options.flag("force") }, environment);
  return 0;
};
