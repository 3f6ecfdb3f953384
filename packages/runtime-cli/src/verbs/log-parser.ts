import { readFileSync } from "node:fs";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { formatLogEntry, mergeLogs, parseLog } from "../output/log-entries.ts";
import { print } from "../output/print.ts";

export const manual: Manual = {
  operands: "FILE [FILE …]",
  options: {
    format: { type: "string", short: "f", value: "FORMAT", about: "text or json" },
    level: { type: "string", value: "LEVEL", about: "only entries of this level, such as error" },
    sandbox: { type: "string", value: "ID", about: "only entries about this sandbox" },
  },
  notes: [
    "Reads what --log has written, in either format, and what the parts of Kata 1.x write, also out of a system's",
    "log; - is standard input. Entries come by time, with the name of their file.",
  ],
  examples: ["log-parser runtime.log log.json", "log-parser --level error /var/log/kata.log"],
};

export const verb: Verb = async (args) => {
  const { options, words } = parseAnywhere(args, manual.options);
  if (words.length === 0) throw new UsageError('"log-parser" requires a file');
  const format = options.text("format") ?? "text";
  if (format !== "text" && format !== "json") throw new UsageError("invalid format option");
  const [level, sandbox] = [options.text("level"), options.text("sandbox")];
  const logs = words.map((file) => parseLog(readFileSync(file === "-" ? 0 : file, "utf8"), file));
  for (const entry of mergeLogs(logs)) {
    if (level !== undefined && entry.fields.level !== level) continue;
    if (sandbox !== undefined && entry.fields.sandbox !== sandbox) continue;
    print(`${formatLogEntry(entry, format)}\n`);
  }
  return Promise.resolve(0);
};
