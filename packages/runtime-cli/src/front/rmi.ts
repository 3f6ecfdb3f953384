import { ImageError, type ImageStore, nameBy } from "@kata-ts/oci-image";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { sweepFrontBundles } from "./bundle.ts";
import { failureOf } from "./failure.ts";
import { openStore, userOf } from "./image-store.ts";

export const manual: Manual = {
  operands: "IMAGE …",
  options: {
    force: {
      type: "boolean",
      short: "f",
      about: "by its digest, also where it has several names; succeed where it is not here",
    },
  },
  notes: [
    "By a name: takes the name from the image, and removes the image with its last one. By a digest: removes the image.",
    "An image that a container has for its root file system stays.",
  ],
  examples: ["rmi alpine:3.20", "rmi 1d34ffeaf190"],
};

/** An image that cannot be removed does not keep the others from being removed. */
export const verb: Verb = async (args, { log, globals }) => {
  const { options, words } = parseAnywhere(args, manual.options);
  if (words.length === 0) throw new UsageError('"rmi" requires at least 1 argument: an image');
  await sweepFrontBundles(globals.root, (message) => {
    log.warning(message);
  });
  const store = await openStore();
  let status = 0;
  for (const word of words) {
    try {
      await remove(store, word, options.flag("force"));
    } catch (error) {
      log.warning(failureOf(error).message);
      status = 1;
    }
  }
  return status;
};

async function remove(store: ImageStore, text: string, isForced: boolean): Promise<void> {
  const image = await store.find(text);
  if (image === undefined) {
    if (isForced) return;
    throw new ImageError("KATA_IMAGE_NOT_FOUND", `there is no image ${text} here: see kata images`);
  }
  const name = nameBy(image, text);
  if (name !== undefined && image.names.length > 1) {
    await store.untag(name);
    print(`untagged ${name}\n`);
    return;
  }
  if (name === undefined && image.names.length > 1 && !isForced) {
    throw new UsageError(`${text} has several names, ${image.names.join(" and ")}: remove them, or use --force`);
  }
  await store.remove(image.digest, { userOf });
  for (const each of image.names) print(`untagged ${each}\n`);
  print(`removed ${image.digest}\n`);
}
