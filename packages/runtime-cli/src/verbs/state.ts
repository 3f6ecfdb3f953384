import { FileStore } from "@kata-ts/virtcontainers/records";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../main.ts";
import { stateView } from "../output/state.ts";
import { onlyId } from "./required.ts";

export const verb: Verb = async (args, { globals }) => {
  const id = onlyId("state", parseAnywhere(args, {}).words);
  const record = await new FileStore(globals.root).read(id);
  process.stdout.write(`${JSON.stringify(stateView(record), null, 2)}\n`);
  return 0;
};
