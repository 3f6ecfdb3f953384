import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Kata } from "../harness/kata.ts";
import { median, type Row, timed } from "./measure.ts";
import { processesOf, pssOf } from "./memory.ts";

const COUNT = Number(process.env.KATA_BENCH_SANDBOXES ?? 100);
const MARKS = [1, 10, 25, 50, 100];

/** Idle sandboxes, one after the other until there are many at once: what one more costs, and what all take by then. */
export async function many(kata: Kata): Promise<Row[]> {
  const { path } = await kata.bundle({ args: ["sleep", "100000"] });
  const rows: Row[] = [];
  const ids: string[] = [];
  let recent: number[] = [];
  while (ids.length < COUNT) {
    const id = kata.id();
    recent.push(
      await timed(async () => {
        await kata.create(id, path);
        await kata.ok(["start", id]);
      }),
    );
    ids.push(id);
    if (!MARKS.includes(ids.length)) continue;
    const total = ids.flatMap((each) => processesOf(kata, each)).reduce((sum, pid) => sum + pssOf(pid), 0);
    const at = `with ${String(ids.length)} of them`;
    rows.push({ what: `create and start, ${at}`, value: median(recent), unit: "ms" });
    rows.push({ what: `memory of each, ${at}`, value: total / ids.length, unit: "MiB" });
    rows.push({ what: `used on the host, ${at}`, value: usedMiB(), unit: "MiB" });
    recent = [];
  }
  const deletes: number[] = [];
  for (const id of ids) deletes.push(await timed(() => kata.ok(["delete", "--force", id])));
  return [...rows, { what: "delete --force", value: median(deletes), unit: "ms" }];
}

function usedMiB(): number {
  const figures = readFileSync(join("/proc", "meminfo"), "latin1");
  const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(figures)?.[1]);
  return (kib("MemTotal") - kib("MemAvailable")) / 1024;
}
