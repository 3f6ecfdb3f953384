import { openForExisting } from "@kata-ts/runtime";
import { listProcesses } from "@kata-ts/virtcontainers";
import { FileStore, KataError, parseContainerId, pidOf } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import { parseLeading, UsageError } from "../arguments/parse.ts";
import type { Context, Verb } from "../context.ts";
import { print } from "../output/print.ts";

export const manual: Manual = {
  operands: "CONTAINER [PS OPTION …]",
  options: {
    format: {
      type: "string",
      short: "f",
      value: "FORMAT",
      about: "table: the guest's processes; json: pids of the host",
    },
  },
  examples: ["ps web -o pid,args"],
};

/** `json` lists host pids, for engines that look at them with the host's ps; `table` the guest's processes. */
export const verb: Verb = async (args, context) => {
  const { options, words } = parseLeading(args, manual.options);
  const [idText, ...psArgs] = words;
  if (idText === undefined) throw new UsageError('"ps" requires a container id');
  const id = parseContainerId(idText);
  const format = options.text("format") ?? "table";
  if (format === "table") await printGuestProcesses(id, psArgs, context);
  else if (format === "json") await printHostPids(id, context);
  else throw new UsageError("invalid format option");
  return 0;
};

async function printGuestProcesses(
  id: ReturnType<typeof parseContainerId>,
  args: readonly string[],
  context: Context,
): Promise<void> {
  const ports = await (await openForExisting(context, id)).ports("store", "connectAgent");
  print(await listProcesses(id, args, ports));
}

async function printHostPids(id: ReturnType<typeof parseContainerId>, { globals }: Context): Promise<void> {
  const pid = pidOf(await new FileStore(globals.root).read(id));
  if (pid === 0) throw new KataError("KATA_STATE", "container not running");
  print(`${JSON.stringify([pid])}\n`);
}
