import { FileStore } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { stateView } from "../output/state.ts";
import { onlyId } from "./required.ts";

export const manual: Manual = {
  operands: "CONTAINER",
  options: {},
};

export const verb: Verb = async (args, { globals }) => {
  const id = onlyId("state", parseAnywhere(args, manual.options).words);
  const record = await new FileStore(globals.root).read(id);
  print(`${JSON.stringify(stateView(record), null, 2)}\n`);
  return 0;
};
