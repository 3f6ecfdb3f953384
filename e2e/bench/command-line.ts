import { runCommand } from "../harness/command.ts";
import { Kata } from "../harness/kata.ts";
import { compare, median, type Row, timed } from "./measure.ts";

const RUNC = "/usr/sbin/runc";
const RUNS = 40;
const IDLE = { args: ["sleep", "1000"] };

/** How long the command line takes to answer what needs no VM, beside runc: of one running container each. */
export async function commandLine(kata: Kata): Promise<Row[]> {
  await using runc = new Kata([], RUNC);
  const [theirId, id] = [await runc.start(IDLE), await kata.start(IDLE)];
  const [theirs, ours] = [callsOf(runc, "runc", theirId), callsOf(kata, "kata-runtime", id)];
  const rows = await inTurn([...theirs, ...ours]);
  // The tables after this one are measured beside no container.
  await kata.ok(["delete", "--force", id]);
  return rows.map((row, index) => {
    const yardstick = rows[index - theirs.length];
    return yardstick === undefined ? row : compare(row, yardstick);
  });
}

interface Call {
  readonly what: string;
  readonly command: readonly [string, ...string[]];
}

function callsOf({ program, root }: Kata, name: string, id: string): Call[] {
  return [
    { what: `${name} --version`, command: [program, "--version"] },
    { what: `${name} state`, command: [program, "--root", root, "state", id] },
    { what: `${name} list`, command: [program, "--root", root, "list"] },
  ];
}

/** One run of each after the other: a machine that becomes slower meanwhile does so for all. */
async function inTurn(calls: readonly Call[]): Promise<Row[]> {
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
