import { KataError } from "@kata-ts/virtcontainers";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import { ENGINES, engineSnippet, isEngine } from "../engines/snippets.ts";
import { writeSnippet } from "../engines/write.ts";
import type { Verb } from "../main.ts";

/** Prints what an engine has to be told of this runtime; with `--write`, tells it. */
export const verb: Verb = async (args, { installation }) => {
  const { options, words } = parseAnywhere(args, { write: { type: "boolean" }, file: { type: "string" } });
  const [engine = "", ...more] = words;
  if (!isEngine(engine) || more.length > 0) throw new UsageError(`"kata-engine" requires one of ${ENGINES.join(", ")}`);
  const snippet = engineSnippet(engine, installation.runtime);
  if (!options.flag("write")) {
    process.stdout.write(snippet.text);
    return 0;
  }
  const file = options.text("file") ?? snippet.file;
  if (file === undefined) {
    throw new KataError("KATA_CONFIG", `${engine} has no usual file for this`, { hint: "name one with --file" });
  }
  writeSnippet(engine, snippet, file);
  process.stdout.write(`${file} is written: ${snippet.after}\n`);
  return 0;
};
