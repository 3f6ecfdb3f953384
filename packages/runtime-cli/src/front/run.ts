import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Manual } from "../arguments/manual.ts";
import { parseLeading, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../commands.ts";
import { verb as runBundle } from "../verbs/run.ts";
import { FrontBundle } from "./bundle.ts";
import { rootFileSystem } from "./root-file-system.ts";
import { frontSpec } from "./spec.ts";

export const manual: Manual = {
  operands: "IMAGE-OR-DIRECTORY [COMMAND [ARGUMENT …]]",
  options: {
    interactive: { type: "boolean", short: "i", about: "it reads what is typed: it always does" },
    tty: { type: "boolean", short: "t", about: "give it a terminal" },
    name: { type: "string", value: "NAME", about: "its id, for exec, stop and logs" },
    volume: { type: "string", short: "v", multiple: true, value: "FROM:TO[:ro]", about: "show it a file or directory" },
    env: { type: "string", short: "e", multiple: true, value: "NAME=VALUE", about: "environment variable" },
    workdir: { type: "string", short: "w", value: "DIR", about: "working directory" },
    user: { type: "string", short: "u", value: "USER[:GROUP]", about: "as whom, by the image's names or by numbers" },
    memory: { type: "string", short: "m", value: "SIZE", about: "limit, such as 512m; the VM grows by it" },
    cpus: { type: "string", value: "N", about: "limit of CPU time, such as 1.5" },
  },
  notes: [
    "IMAGE-OR-DIRECTORY is a directory with a root file system, an OCI layout, an archive of docker save,",
    "or an image of a registry. Nothing of it is left when it has ended. It has no network but its loopback.",
    "Ends with the command's own exit status.",
  ],
  examples: [
    "run alpine:3.20 uname -a",
    "run -it --memory 512m --volume $PWD:/work:ro debian:12 bash",
    "run ./rootfs sh -c 'echo hello'",
  ],
};

/** Makes a bundle out of what is asked for, runs it in the foreground, and removes all of it. */
export const verb: Verb = async (args, context) => {
  const { options, words } = parseLeading(args, manual.options);
  const [from, ...command] = words;
  if (from === undefined) throw new UsageError('"run" requires an image or a directory');
  const id = options.text("name") ?? `kata-${randomBytes(4).toString("hex")}`;
  await using bundle = await FrontBundle.create(id, context.globals.root);
  const { rootfs, image } = await rootFileSystem(from, bundle.path);
  const spec = await frontSpec({ id, rootfs, image, command, options });
  writeFileSync(join(bundle.path, "config.json"), JSON.stringify(spec), { mode: 0o600 });
  return await runBundle(["--bundle", bundle.path, id], context);
};
