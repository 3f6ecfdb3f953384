import { createReadStream, fstatSync, openSync } from "node:fs";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { verb as vmLogs } from "../verbs/logs.ts";
import { onlyId } from "../verbs/required.ts";
import { FrontBundle } from "./bundle.ts";

export const manual: Manual = {
  operands: "NAME",
  options: { vm: { type: "boolean", about: "what its virtual machine said instead" } },
  notes: ["What a container that runs detached has written; of others, what their virtual machine said."],
  examples: ["logs web", "logs --vm web"],
};

export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const id = onlyId("logs", words);
  const bundle = FrontBundle.detached(id);
  if (bundle === undefined || options.flag("vm")) return vmLogs([id], context);
  for (const fd of oldestFirst(bundle)) for await (const chunk of createReadStream("", { fd })) print(chunk as Buffer);
  return 0;
};

/** Opened at once, before the oldest is emptied for what comes. */
function oldestFirst(bundle: FrontBundle): number[] {
  const opened = bundle.outputs.map((path) => openSync(path, "r"));
  const age = new Map(opened.map((fd) => [fd, fstatSync(fd, { bigint: true }).mtimeNs]));
  return opened.sort((a, b) => ((age.get(a) ?? 0n) < (age.get(b) ?? 0n) ? -1 : 1));
}
