import { startContainer } from "@kata-ts/virtcontainers";
import { parseAnywhere } from "../arguments/parse.ts";
import { openRuntime } from "../context.ts";
import type { Verb } from "../main.ts";
import { someIds } from "./required.ts";

/** Prints nothing: podman runs it with the container's own terminal. */
export const verb: Verb = async (args, context) => {
  const { environment } = openRuntime(context);
  for (const id of someIds("start", parseAnywhere(args, {}).words)) await startContainer(id, environment);
  return 0;
};
