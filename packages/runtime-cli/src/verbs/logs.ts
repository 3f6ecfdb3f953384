import { type LogSource, vmLogs } from "@kata-ts/virtcontainers";
import { FileStore, KataError } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { onlyId } from "./required.ts";

const SOURCES: readonly LogSource[] = ["kernel", "agent", "guest", "vmm", "runtime"];

export const manual: Manual = {
  operands: "CONTAINER",
  options: {
    source: { type: "string", short: "s", multiple: true, value: "SOURCE", about: `one of ${SOURCES.join(", ")}` },
    json: { type: "boolean", about: "an object a line" },
  },
  notes: [
    "What the virtual machine said on its console, and how it ended: kept until the container is deleted.",
    "A container's own output is its engine's: docker logs, podman logs, kubectl logs.",
  ],
  examples: ["logs web", "logs --source kernel --source vmm web"],
};

/** The guest is asked nothing: it works for a VM that hangs or has ended, too. */
export const verb: Verb = async (args, { globals }) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const id = onlyId("logs", words);
  const asked = options.list("source");
  const unknown = asked.find((source) => !SOURCES.some((known) => known === source));
  if (unknown !== undefined) throw new UsageError(`unknown source "${unknown}": one of ${SOURCES.join(", ")}`);
  const { vm } = await new FileStore(globals.root).read(id);
  if (vm === undefined) throw new KataError("KATA_STATE", `container ${id} has no virtual machine`);
  for (const line of await vmLogs(vm)) {
    if (asked.length > 0 && !asked.includes(line.source)) continue;
    const shown = options.flag("json") ? JSON.stringify(line) : `${line.source.padEnd("runtime".length)} ${line.text}`;
    print(`${shown}\n`);
  }
  return 0;
};
