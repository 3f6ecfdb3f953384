import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Context, Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { formatTable } from "../output/table.ts";
import { sweepFrontBundles } from "./bundle.ts";
import { failureOf } from "./failure.ts";
import { createVolume, dataOf, listVolumes, removeVolume, volumeUser } from "./volumes.ts";

export const manual: Manual = {
  operands: "create|ls|inspect|rm [NAME …]",
  options: { quiet: { type: "boolean", short: "q", about: "with ls: names only" } },
  notes: [
    "A volume is made by its first use in run --volume NAME:PATH, or by create, and kept until rm or prune --volumes.",
  ],
  examples: ["volume ls", "volume rm data"],
};

export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const [what, ...names] = words;
  switch (what) {
    case "create":
      return each(names, context, async (name) => {
        await createVolume(name);
        print(`${name}\n`);
      });
    case "ls":
      if (names.length > 0) throw new UsageError(`"volume ls" takes no arguments: ${names.join(" ")}`);
      list(options.flag("quiet"));
      return 0;
    case "inspect":
      return inspect(names, context);
    case "rm":
      await sweepFrontBundles(context.globals.root, (message) => {
        context.log.warning(message);
      });
      return each(names, context, async (name) => {
        await removeVolume(name);
        print(`${name}\n`);
      });
    default:
      throw new UsageError('"volume" requires create, ls, inspect or rm');
  }
};

function list(quiet: boolean): void {
  const names = listVolumes();
  if (quiet) print(names.map((name) => `${name}\n`).join(""));
  else print(formatTable([["NAME", "USED BY"], ...names.map((name) => [name, volumeUser(name) ?? ""])]));
}

async function inspect(names: readonly string[], context: Context): Promise<number> {
  const found: object[] = [];
  const status = await each(names, context, (name) => {
    if (!listVolumes().includes(name)) throw new UsageError(`there is no volume ${name}`);
    found.push({ type: "volume", name, path: dataOf(name), usedBy: volumeUser(name) ?? null });
    return Promise.resolve();
  });
  print(`${JSON.stringify(found, null, 2)}\n`);
  return status;
}

/** A volume that fails does not keep the others from being worked on. */
async function each(
  names: readonly string[],
  { log }: Context,
  body: (name: string) => Promise<void>,
): Promise<number> {
  if (names.length === 0) throw new UsageError('"volume" requires at least 1 name');
  let status = 0;
  for (const name of names) {
    try {
      await body(name);
    } catch (error) {
      log.warning(failureOf(error).message);
      status = 1;
    }
  }
  return status;
}
