import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { CREATE_OPTIONS, requestOf } from "./create-options.ts";
import { OUTPUT_OPTIONS } from "./output-files.ts";
import { runContainer } from "./run-container.ts";

export const manual: Manual = {
  operands: "CONTAINER",
  options: {
    ...CREATE_OPTIONS,
    ...OUTPUT_OPTIONS,
    detach: { type: "boolean", short: "d", about: "do not wait for it" },
    "no-subreaper": { type: "boolean", about: "for callers of runc: not used" },
    keep: { type: "boolean", about: "do not delete it when it has ended" },
  },
  notes: ["Ends with the process's own exit status."],
  examples: ["run --bundle /srv/web web"],
};

export const verb: Verb = async (args, context) => {
  const parsed = parseAnywhere(args, manual.options);
  const { options } = parsed;
  return runContainer(
    {
      ...requestOf("run", parsed),
      detached: options.flag("detach"),
      keep: options.flag("keep"),
      pidFile: options.text("pid-file"),
    },
    context,
  );
};
