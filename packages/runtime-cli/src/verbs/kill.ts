import { openForExisting } from "@kata-ts/runtime";
import { killContainer } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import { parseSignal } from "../arguments/signal-name.ts";
import type { Verb } from "../context.ts";
import { onlyId } from "./required.ts";

export const manual: Manual = {
  operands: "CONTAINER [SIGNAL]",
  options: {
    all: { type: "boolean", short: "a", about: "to all its processes" },
  },
  examples: ["kill web KILL", "kill --all web 9"],
};

export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const [id = "", signal = "SIGTERM", ...more] = words;
  if (more.length > 0) throw new UsageError('"kill" takes a container id and a signal');
  const container = onlyId("kill", words.length === 0 ? [] : [id]);
  const number = parseSignal(signal);
  const runtime = await openForExisting(context, container);
  const ports = await runtime.ports("store", "cgroups", "connectAgent");
  await killContainer(container, number, options.flag("all"), ports);
  return 0;
};
