import { openRuntime } from "@kata-ts/runtime";
import { startContainer } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { someIds } from "./required.ts";

export const manual: Manual = {
  operands: "CONTAINER …",
  options: {},
};

/** Prints nothing: podman runs it with the container's own terminal. */
export const verb: Verb = async (args, context) => {
  const ids = someIds("start", parseAnywhere(args, manual.options).words);
  const runtime = await openRuntime(context, { id: ids[0] });
  const ports = await runtime.ports("store", "hypervisor", "network", "connectAgent");
  for (const id of ids) await startContainer(id, ports);
  return 0;
};
