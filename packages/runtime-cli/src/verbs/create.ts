import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { CREATE_OPTIONS, requestOf } from "./create-options.ts";
import { writePidFile } from "./pid-file.ts";
import { createInterruptibly } from "./run-container.ts";

export const manual: Manual = {
  operands: "CONTAINER",
  options: { ...CREATE_OPTIONS },
  examples: ["create --bundle /srv/web web"],
};

export const verb: Verb = async (args, context) => {
  const parsed = parseAnywhere(args, manual.options);
  const { shim } = await createInterruptibly(requestOf("create", parsed), context);
  const pidFile = parsed.options.text("pid-file");
  if (pidFile !== undefined) writePidFile(pidFile, shim.identity.pid);
  return 0;
};
