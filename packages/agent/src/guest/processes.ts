import type { Commands } from "../commands.ts";
import { internal, invalidArgument } from "../errors.ts";

/** The processes of a container: its pids as JSON, or the lines of `ps` that are about them. */
export async function listProcesses(
  commands: Commands,
  pids: readonly number[],
  format: string,
  args: readonly string[],
): Promise<Buffer> {
  if (format === "json") return Buffer.from(JSON.stringify(pids));
  if (format !== "table") throw invalidArgument(`Invalid format option "${format}"`);
  const ps = await commands.run("/usr/bin/ps", args.length === 0 ? ["-ef"] : args);
  if (ps.status !== 0) throw internal(`ps ${args.join(" ")}: ${ps.stderr.trim()}`);
  const [header = "", ...lines] = ps.stdout.split("\n");
  const column = header.trim().split(/\s+/).indexOf("PID");
  if (column === -1) throw invalidArgument("ps prints no column PID with these options");
  const wanted = new Set(pids);
  const ours = lines.filter((line) => wanted.has(Number(line.trim().split(/\s+/)[column])));
  return Buffer.from(`${[header, ...ours].join("\n")}\n`);
}
