import type { RuntimePorts } from "@kata-ts/runtime";
import { openForExisting } from "@kata-ts/runtime";
import { deleteContainer, reasonOf } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Context, Verb } from "../context.ts";
import { someIds } from "./required.ts";

export const manual: Manual = {
  operands: "CONTAINER …",
  options: {
    regex: { type: "boolean", short: "r", about: "CONTAINER is a regular expression: delete all that it matches" },
    force: { type: "boolean", short: "f", about: "end it first; succeed where there is none" },
  },
  examples: ["delete --force web", "delete --force --regex '^job-'"],
};

export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const force = options.flag("force");
  if (options.flag("regex")) return deleteMatching(patternOf(words), force, context);
  const ids = someIds("delete", words);
  const ports = await portsFor(context, ids[0]);
  for (const id of ids) await deleteContainer(id, { force }, ports);
  return 0;
};

async function portsFor(
  context: Context,
  id?: string,
): Promise<RuntimePorts<"store" | "hypervisor" | "cgroups" | "connectAgent">> {
  return (await openForExisting(context, id)).ports("store", "hypervisor", "cgroups", "connectAgent");
}

/** As crun: a container that cannot be deleted keeps the others from nothing. */
async function deleteMatching(pattern: RegExp, force: boolean, context: Context): Promise<number> {
  const ports = await portsFor(context);
  let status = 0;
  for (const id of (await ports.store.list()).filter((name) => pattern.test(name))) {
    try {
      await deleteContainer(id, { force }, ports);
    } catch (error) {
      context.log.warning(`${id} is left: ${reasonOf(error)}`);
      status = 1;
    }
  }
  return status;
}

function patternOf(words: readonly string[]): RegExp {
  const [source, ...more] = words;
  if (source === undefined || more.length > 0) throw new UsageError('"delete --regex" requires exactly 1 argument');
  try {
    return new RegExp(source);
  } catch (error) {
    throw new UsageError(`delete --regex: ${reasonOf(error)}`);
  }
}
