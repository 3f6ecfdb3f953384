import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Kata } from "../harness/kata.ts";
import type { Row } from "./measure.ts";

interface Recorded {
  readonly shim: { readonly pid: number };
  readonly vm: { readonly processes: readonly { readonly pid: number }[] };
}

/** A second after they have begun, shims and proxies give back what they do not use. */
const IDLE_MS = 2_000;

/**
 * What one idle container costs the host, by process: proportional set sizes, and of a clone's memory all that the file
 * behind it has, mapped or not.
 */
export async function memory(kata: Kata): Promise<Row[]> {
  const id = await kata.start({ args: ["sleep", "1000"] });
  await kata.ok(["exec", id, "true"]);
  await delay(IDLE_MS);
  const pids = processesOf(kata, id);
  const rows: Row[] = pids.map((pid) => ({ what: nameOf(pid), value: pssOf(pid), unit: "MiB" }));
  const unmapped = pids.reduce((sum, pid) => sum + unmappedOf(pid), 0);
  if (unmapped > 0) rows.push({ what: "guest memory that was copied and not used", value: unmapped, unit: "MiB" });
  await kata.ok(["delete", "--force", id]);
  const total = rows.reduce((sum, { value }) => sum + value, 0);
  return [...rows, { what: "together", value: total, unit: "MiB" }];
}

const MORE_SHIMS = 10;

/** What each further process of a container costs the host: its kata-shim, where there are some of them. */
export async function shims(kata: Kata): Promise<Row[]> {
  const id = await kata.start({ args: ["sleep", "1000"] });
  const { shim } = recordOf(kata, id);
  await delay(IDLE_MS);
  const alone = pssOf(shim.pid);
  const more: number[] = [];
  for (let count = 0; count < MORE_SHIMS; count++) {
    const file = join(kata.directory, `shim-${String(count)}`);
    await kata.ok(["exec", "--detach", "--pid-file", file, id, "sleep", "1000"], { detachedStreams: true });
    more.push(Number(readFileSync(file, "latin1")));
  }
  await delay(IDLE_MS);
  const all = [shim.pid, ...more].reduce((sum, pid) => sum + pssOf(pid), 0);
  await kata.ok(["delete", "--force", id]);
  return [
    { what: "kata-shim of a container alone", value: alone, unit: "MiB" },
    { what: `each of ${String(MORE_SHIMS)} more`, value: (all - alone) / MORE_SHIMS, unit: "MiB" },
  ];
}

function recordOf(kata: Kata, id: string): Recorded {
  return JSON.parse(readFileSync(join(kata.root, id, "kata.json"), "utf8")) as Recorded;
}

/** The processes on the host that a container has, its VM's among them. */
export function processesOf(kata: Kata, id: string): number[] {
  const { shim, vm } = recordOf(kata, id);
  return [shim, ...vm.processes].map(({ pid }) => pid);
}

function nameOf(pid: number): string {
  const command = readFileSync(`/proc/${String(pid)}/cmdline`, "latin1");
  return /kata-shim|kata-proxy|virtiofsd|qemu-system/.exec(command)?.[0] ?? "other";
}

export function pssOf(pid: number): number {
  const rollup = readFileSync(`/proc/${String(pid)}/smaps_rollup`, "latin1");
  return Number(/^Pss:\s+(\d+) kB$/m.exec(rollup)?.[1]) / 1024;
}

function linkOf(descriptor: string): string {
  return existsSync(descriptor) ? readlinkSync(descriptor) : "";
}

/** Of the file that holds a clone's memory: what is in no page table counts in no set size, and is there all the same. */
export function unmappedOf(pid: number): number {
  const descriptors = readdirSync(`/proc/${String(pid)}/fd`).map((name) => `/proc/${String(pid)}/fd/${name}`);
  // In QEMU's root directory, or, where QEMU is not confined, without a name.
  const file = descriptors.find((each) => /^(\/qemu)?\/memory$|^\/memfd:guest-memory/.test(linkOf(each)));
  if (file === undefined) return 0;
  const mappedKib = Number(/^RssShmem:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, "latin1"))?.[1]);
  return Math.max(0, (statSync(file).blocks * 512) / 2 ** 20 - mappedKib / 1024);
}
