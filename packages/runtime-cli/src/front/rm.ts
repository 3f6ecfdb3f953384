import { FileStore, KataError, statusOf } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { FrontBundle, sweepFrontBundles } from "./bundle.ts";
import { eachContainer } from "./each-container.ts";
import { removeContainer } from "./remove-container.ts";

export const manual: Manual = {
  operands: "NAME …",
  options: {
    force: { type: "boolean", short: "f", about: "end it first, without asking it; succeed where there is none" },
  },
  notes: [
    "Removes containers that have ended in the background, with what was made for them: changes, output, network.",
  ],
  examples: ["rm web", "rm -f web db"],
};

export const verb: Verb = async (args, context) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const { root } = context.globals;
  const status = await eachContainer("rm", words, context, async (id) => {
    if (!options.flag("force")) {
      const state = statusOf(await new FileStore(root).read(id));
      if (state !== "stopped") {
        throw new KataError("KATA_STATE", `${id} is not stopped: ${state}`, {
          hint: "kata stop ends it, and rm --force does",
        });
      }
    }
    const bundle = FrontBundle.detached(id);
    await removeContainer(id, context);
    await bundle?.[Symbol.asyncDispose]();
  });
  // The process that would have done it may have been killed.
  await sweepFrontBundles(root, (message) => {
    context.log.warning(message);
  });
  return status;
};
