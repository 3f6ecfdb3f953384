import { openForExisting, savedProcess } from "@kata-ts/runtime";
import { checkpointContainer, continueContainer, requirePrivileges } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { GUARD_DONE, startGuard } from "./checkpoint-guard.ts";
import { CHECKPOINT_OPTIONS, imagePathOf, refusePartial } from "./checkpoint-options.ts";
import { DUMP, writeStatistics } from "./criu-statistics.ts";
import { Interruption } from "./interruption.ts";
import { onlyId } from "./required.ts";

export const manual: Manual = {
  operands: "CONTAINER",
  options: CHECKPOINT_OPTIONS,
  notes: [
    "Saves the container with its virtual machine: memory, devices and disks. It stands still meanwhile, and is deleted then.",
    'It needs shared_fs = "none" and a root file system on a block device, or enable_checkpoint = true: docs/checkpoint.md.',
  ],
  examples: ["checkpoint --image-path /srv/saved web", "checkpoint --leave-running --image-path /srv/saved web"],
};

export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const id = onlyId("checkpoint", words);
  refusePartial("checkpoint", options, manual.options);
  requirePrivileges();
  const runtime = await openForExisting(context, id);
  const ports = await runtime.ports("store", "hypervisor", "network", "cgroups", "connectAgent");
  if (options.flag("guard")) {
    if (!(await standardInput()).includes(GUARD_DONE)) await continueContainer(id, ports);
    return 0;
  }
  const { bundle } = await ports.store.read(id);
  const process = savedProcess(id, bundle);
  const leaveRunning = options.flag("leave-running");
  using interruption = new Interruption();
  await using guard = startGuard(id, context);
  const since = performance.now();
  await checkpointContainer(id, imagePathOf(options), { leaveRunning, process, signal: interruption.signal }, ports);
  guard.dismiss();
  await writeStatistics(DUMP, { options, log: context.log, since });
  return 0;
};

async function standardInput(): Promise<string> {
  let text = "";
  for await (const chunk of process.stdin) text += String(chunk);
  return text;
}
