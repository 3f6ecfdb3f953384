import { KataError } from "@kata-ts/virtcontainers";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../commands.ts";
import { ENGINES, engineSnippet, isEngine } from "../engines/snippets.ts";
import { writeSnippet } from "../engines/write.ts";
import { print } from "../output/print.ts";

export const manual: Manual = {
  operands: "ENGINE",
  options: {
    write: { type: "boolean", about: "write it into the engine's configuration" },
    file: { type: "string", value: "FILE", about: "another file than the usual one" },
  },
  notes: ["Engines: docker, containerd, podman, crio."],
  examples: ["kata-engine docker", "kata-engine docker --write"],
};

/** Prints what an engine has to be told of this runtime; with `--write`, tells it. */
export const verb: Verb = async (args, { installation }) => {
  const { options, words } = parseAnywhere(args, manual.options);
  const [engine = "", ...more] = words;
  if (!isEngine(engine) || more.length > 0) throw new UsageError(`"kata-engine" requires one of ${ENGINES.join(", ")}`);
  const snippet = engineSnippet(engine, installation.runtime);
  if (!options.flag("write")) {
    print(snippet.text);
    return 0;
  }
  const file = options.text("file") ?? snippet.file;
  if (file === undefined) {
    throw new KataError("KATA_CONFIG", `${engine} has no usual file for this`, { hint: "name one with --file" });
  }
  writeSnippet(engine, snippet, file);
  print(`${file} is written: ${snippet.after}\n`);
  return 0;
};
