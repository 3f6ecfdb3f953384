import { isAlive } from "@kata-ts/linux";
import { machineOptions, makeCache, openRuntime } from "@kata-ts/runtime";
import { KataError } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { uninstallTree } from "../install/tree.ts";
import { print } from "../output/print.ts";

export const manual: Manual = {
  operands: "PREFIX",
  options: { force: { type: "boolean", short: "f", about: "also while virtual machines run" } },
  notes: ["Removes what install has put there. Configurations of engines, and /etc/kata-ts, stay."],
};

/** What runs, whichever engine has made it, needs the programs to be deleted: it comes first. */
export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const [prefix, ...more] = words;
  if (prefix === undefined || more.length > 0)
    throw new UsageError('"uninstall" requires exactly 1 argument: a prefix');
  const runtime = await openRuntime(context);
  const { hypervisor } = await runtime.ports("hypervisor");
  const cache = makeCache(await machineOptions(runtime));
  const found = await hypervisor.found();
  const running = found.filter(({ state }) => isAlive(state.vmm)).map(({ owner, state }) => owner ?? state.dir);
  const waiting = await cache.waiting();
  if (running.length + waiting.length > 0 && !options.flag("force")) {
    throw new KataError("KATA_STATE", `virtual machines run: ${[...running, ...waiting].join(", ")}`, {
      hint: `delete their containers first${waiting.length > 0 ? ", and run kata-runtime factory destroy" : ""}`,
    });
  }
  await uninstallTree(prefix);
  print(`removed from ${prefix}\n`);
  return 0;
};
