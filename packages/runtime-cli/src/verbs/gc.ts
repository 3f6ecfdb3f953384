import { sweepNat } from "@kata-ts/netns/nat";
import { machineOptions, makeCache, makeTemplates, openRuntime } from "@kata-ts/runtime";
import { collectGarbage, reasonOf } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { leftFrontBundles } from "../front/bundle.ts";
import { removeBundle } from "../front/leftovers.ts";
import { print } from "../output/print.ts";

export const manual: Manual = {
  operands: "",
  options: {
    "dry-run": { type: "boolean", short: "n", about: "only print what would be removed" },
  },
  notes: ["Removes what processes left that were killed. It never touches a sandbox that lives."],
};

/** Removes what belongs to no living sandbox, and prints a line for each. */
export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  if (words.length > 0) throw new UsageError(`"gc" takes no arguments: ${words.join(" ")}`);
  const dryRun = options.flag("dry-run");
  const runtime = await openRuntime(context);
  const environment = await runtime.ports("store", "hypervisor", "network", "cgroups", "connectAgent");
  const machines = await machineOptions(runtime);
  let failed = 0;
  const warn = (message: string): void => {
    failed += 1;
    environment.warn(message);
  };
  for (const { kind, name, why } of await collectGarbage({ ...environment, warn }, { dryRun })) {
    print(`${dryRun ? "would remove" : "removed"} ${kind} ${name}: ${why}\n`);
  }
  for (const path of await leftFrontBundles(context.root, warn)) {
    try {
      if (!dryRun) await removeBundle(path);
    } catch (error) {
      warn(`${path} could not be removed: ${reasonOf(error)}`);
      continue;
    }
    print(`${dryRun ? "would remove" : "removed"} bundle ${path}: the kata run that made it has ended\n`);
  }
  for (const path of await makeTemplates(machines).removeStale(dryRun)) {
    print(`${dryRun ? "would remove" : "removed"} template ${path}: nothing can be cloned from it\n`);
  }
  for (const path of await makeCache(machines).removeStale(dryRun)) {
    print(`${dryRun ? "would remove" : "removed"} cached vm ${path}: no sandbox can use it\n`);
  }
  for (const subnet of await sweepNat(undefined, dryRun)) {
    print(`${dryRun ? "would remove" : "removed"} network ${subnet}: its program is dead\n`);
  }
  return failed === 0 ? 0 : 1;
};
