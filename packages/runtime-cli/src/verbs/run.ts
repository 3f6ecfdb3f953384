import { deleteContainer, parseContainerId, startContainer } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { CREATE_OPTIONS, createFromBundle } from "./create-options.ts";
import { Foreground } from "./foreground.ts";
import { OUTPUT_OPTIONS } from "./output-files.ts";

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
  const { record, shim, terminal, environment } = await createFromBundle("run", parsed, context);
  const id = parseContainerId(record.id);
  const detached = parsed.options.flag("detach");
  using foreground = detached ? undefined : new Foreground(terminal);
  try {
    await startContainer(id, environment);
  } catch (error) {
    await deleteContainer(id, { force: true }, environment);
    throw error;
  }
  if (foreground === undefined) return 0;
  const status = await foreground.wait(shim);
  if (!parsed.options.flag("keep")) await deleteContainer(id, { force: true }, environment);
  return status;
};
