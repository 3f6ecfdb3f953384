import { killContainer } from "@kata-ts/virtcontainers";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import { parseSignal } from "../arguments/signal-name.ts";
import { openRuntime } from "../context.ts";
import type { Verb } from "../main.ts";
import { onlyId } from "./required.ts";

export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, { all: { type: "boolean", short: "a" } });
  const [id = "", signal = "SIGTERM", ...more] = words;
  if (more.length > 0) throw new UsageError('"kill" takes a container id and a signal');
  const container = onlyId("kill", words.length === 0 ? [] : [id]);
  await killContainer(container, parseSignal(signal), options.flag("all"), openRuntime(context).environment);
  return 0;
};
