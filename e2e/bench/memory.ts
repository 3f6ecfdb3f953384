import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Kata } from "../harness/kata.ts";
import type { Row } from "./measure.ts";

interface Recorded {
  readonly shim: { readonly pid: number };
  readonly vm: { readonly processes: readonly { readonly pid: number }[] };
}

/** What one idle container costs the host, by process: proportional set sizes. */
export async function memory(kata: Kata): Promise<Row[]> {
  const id = await kata.start({ args: ["sleep", "1000"] });
  await kata.ok(["exec", id, "true"]);
  const { shim, vm } = JSON.parse(readFileSync(join(kata.root, id, "kata.json"), "utf8")) as Recorded;
  const rows = [shim, ...vm.processes].map(({ pid }) => ({
    what: nameOf(pid),
    value: pssOf(pid),
    unit: "MiB" as const,
  }));
  await kata.ok(["delete", "--force", id]);
  const total = rows.reduce((sum, { value }) => sum + value, 0);
  return [...rows, { what: "together", value: total, unit: "MiB" }];
}

function nameOf(pid: number): string {
  const command = readFileSync(`/proc/${String(pid)}/cmdline`, "latin1");
  return /kata-shim|kata-proxy|virtiofsd|qemu-system/.exec(command)?.[0] ?? "other";
}

function pssOf(pid: number): number {
  const rollup = readFileSync(`/proc/${String(pid)}/smaps_rollup`, "latin1");
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]) / 1024;
}
