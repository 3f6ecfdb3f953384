import { deleteContainer } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../commands.ts";
import { openForExisting } from "../context.ts";
import { someIds } from "./required.ts";

export const manual: Manual = {
  operands: "CONTAINER …",
  options: {
    force: { type: "boolean", short: "f", about: "end it first; succeed where there is none" },
  },
  examples: ["delete --force web"],
};

export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const ids = someIds("delete", words);
  const { environment } = await openForExisting(context, ids[0]);
  for (const id of ids) await deleteContainer(id, { force: options.flag("force") }, environment);
  return 0;
};
