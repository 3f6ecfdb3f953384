import { readFileSync } from "node:fs";
import type { SpecResources } from "@kata-ts/agent-protocol";
import { openRuntime, parseResources } from "@kata-ts/runtime";
import { updateContainer } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { onlyId } from "./required.ts";
import { resourcesFromOptions, UPDATE_OPTIONS } from "./update-options.ts";

const STDIN = 0;

export const manual: Manual = {
  operands: "CONTAINER",
  options: { ...UPDATE_OPTIONS },
  examples: ["update --memory 512m --pids-limit 100 web"],
};

/** `--resources FILE` (`-` is standard input) has it all; without it the single options say what changes. */
export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const id = onlyId("update", words);
  const file = options.text("resources");
  const resources: SpecResources =
    file === undefined
      ? resourcesFromOptions(options)
      : parseResources(readFileSync(file === "-" ? STDIN : file, "utf8"), file === "-" ? "standard input" : file);
  const ports = await (await openRuntime(context, { id })).ports("store", "hypervisor", "cgroups", "connectAgent");
  await updateContainer(id, resources, ports);
  return 0;
};
