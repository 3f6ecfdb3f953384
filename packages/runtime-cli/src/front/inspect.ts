import { stringifyJson } from "@kata-ts/agent-protocol";
import { loadSpec } from "@kata-ts/runtime";
import { FileStore, KataError, parseContainerId } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { stateView } from "../output/state.ts";
import { FrontBundle } from "./bundle.ts";
import { failureOf } from "./failure.ts";
import { openStore, userOf } from "./image-store.ts";

export const manual: Manual = {
  operands: "NAME-OR-IMAGE …",
  options: {
    type: { type: "string", value: "TYPE", about: "container or image; without it a container is looked for first" },
  },
  notes: ["Prints a list of JSON objects. A container's has its config.json, with all variables of its environment."],
  examples: ["inspect web", "inspect --type image alpine:3.20"],
};

export const verb: Verb = async (args, { globals, log }) => {
  const { options, words } = parseAnywhere(args, manual.options);
  if (words.length === 0) throw new UsageError('"inspect" requires at least 1 argument: a container or an image');
  const type = options.text("type");
  if (type !== undefined && type !== "container" && type !== "image") {
    throw new UsageError(`--type takes container or image, not "${type}"`);
  }
  const found: object[] = [];
  let status = 0;
  for (const word of words) {
    try {
      const container = type === "image" ? undefined : await containerView(word, globals.root);
      const view = container ?? (type === "container" ? undefined : await imageView(word));
      if (view === undefined)
        throw new KataError("KATA_NOT_FOUND", `there is no ${type ?? "container or image"} ${word}`);
      found.push(view);
    } catch (error) {
      log.warning(failureOf(error).message);
      status = 1;
    }
  }
  print(`${stringifyJson(found, 2)}\n`);
  return status;
};

/** Undefined where there is no container of the name. */
async function containerView(name: string, root: string): Promise<object | undefined> {
  try {
    const id = parseContainerId(name);
    const record = await new FileStore(root).read(id);
    const output = FrontBundle.detached(id)?.output;
    const image = FrontBundle.imageOf(id) ?? null;
    return { type: "container", ...stateView(record), image, output: output ?? null, config: loadSpec(record.bundle) };
  } catch (error) {
    if (error instanceof KataError && ["KATA_NOT_FOUND", "KATA_ID_INVALID"].includes(error.code)) return undefined;
    throw error;
  }
}

async function imageView(text: string): Promise<object | undefined> {
  const image = await (await openStore()).find(text);
  return image === undefined ? undefined : { type: "image", ...image, usedBy: userOf(image) ?? null };
}
