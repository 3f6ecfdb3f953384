import { openForExisting } from "@kata-ts/runtime";
import { killContainer } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import { parseSignal } from "../arguments/signal-name.ts";
import type { Verb } from "../context.ts";
import { eachContainer } from "./each-container.ts";

export const manual: Manual = {
  operands: "NAME …",
  options: { signal: { type: "string", short: "s", value: "SIGNAL", about: "by name or number; KILL by default" } },
  examples: ["kill web", "kill -s HUP web"],
};

export const verb: Verb = (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const signal = parseSignal(options.text("signal") ?? "KILL");
  return eachContainer("kill", words, context, async (id) => {
    const ports = await (await openForExisting(context, id)).ports("store", "cgroups", "connectAgent");
    await killContainer(id, signal, false, ports);
  });
};
