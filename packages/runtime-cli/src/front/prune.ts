import { createInterface } from "node:readline/promises";
import { FileStore, parseContainerId, statusOf } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Context, Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { FrontBundle, sweepFrontBundles } from "./bundle.ts";
import { openStore, userOf } from "./image-store.ts";
import { sizeText } from "./quantities.ts";
import { removeContainer } from "./remove-container.ts";
import { listVolumes, removeVolume, volumeUser } from "./volumes.ts";

export const manual: Manual = {
  operands: "",
  options: {
    all: {
      type: "boolean",
      short: "a",
      about: "every image that no container has; else those whose name went to another",
    },
    volumes: { type: "boolean", about: "volumes that no container has, too: what is in them is lost" },
    force: { type: "boolean", short: "f", about: "do not ask" },
  },
  notes: [
    "Removes containers that have ended, images that are not needed, and what pulls that were given up have left.",
  ],
};

export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  if (words.length > 0) throw new UsageError(`"prune" takes no arguments: ${words.join(" ")}`);
  const [all, volumes] = [options.flag("all"), options.flag("volumes")];
  if (!options.flag("force") && !(await isMeant(all, volumes))) return 1;
  await pruneContainers(context);
  await pruneImages(all);
  if (volumes) await pruneVolumes();
  return 0;
};

/** @throws UsageError where there is no person to be asked */
async function isMeant(all: boolean, volumes: boolean): Promise<boolean> {
  if (!process.stdin.isTTY) throw new UsageError("there is no terminal to ask on: prune needs --force");
  const images = all ? "every image that no container has" : "images without a name";
  const what = ["containers that have ended", images, ...(volumes ? ["volumes that no container has"] : [])];
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await terminal.question(`Remove ${what.join(", ")}? [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}

/** Those that ended in the background: others are removed by the process that waits for them. */
async function pruneContainers(context: Context): Promise<void> {
  const { root } = context.globals;
  const store = new FileStore(root);
  for (const name of await store.list()) {
    const bundle = FrontBundle.detached(name);
    if (bundle === undefined) continue;
    const id = parseContainerId(name);
    const record = await store.read(id).catch(() => undefined);
    if (record === undefined || statusOf(record) !== "stopped") continue;
    await removeContainer(id, context);
    await bundle[Symbol.asyncDispose]();
    print(`removed container ${name}\n`);
  }
  await sweepFrontBundles(root, (message) => {
    context.log.warning(message);
  });
}

async function pruneImages(all: boolean): Promise<void> {
  const store = await openStore();
  let bytes = 0;
  for (const image of await store.list()) {
    if ((!all && image.names.length > 0) || userOf(image) !== undefined) continue;
    await store.remove(image.digest, { userOf });
    bytes += image.bytes;
    print(`removed image ${image.names[0] ?? image.digest}\n`);
  }
  bytes += await store.sweep();
  print(`images: ${sizeText(bytes)} reclaimed\n`);
}

async function pruneVolumes(): Promise<void> {
  for (const name of listVolumes()) {
    if (volumeUser(name) !== undefined) continue;
    await removeVolume(name);
    print(`removed volume ${name}\n`);
  }
}
