import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { createPipe, openPollable } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Kata } from "../harness/kata.ts";

const MIB = 2 ** 20;
const BLOCK = 64 * 1024;
/** `pnpm test:soak` asks for a gigabyte. */
const TOTAL = Number(process.env.KATA_TEST_STREAM_MIB ?? 96) * MIB;
const PAUSES = 8;
const PAUSE_MS = 500;
/** What the processes may hold more than before, for buffers and for garbage; far less than what passes. */
const HEADROOM = 64 * MIB;

type Sample = Readonly<Record<"qemu" | "proxy" | "shim" | "guest", number>>;

function proportionalSet(pid: number): number {
  const kib = /^Pss: +(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/smaps_rollup`, "latin1"))?.[1];
  return Number(kib) * 1024;
}

describe("a reader that pauses", () => {
  expectCleanHost();

  it(`keeps the memory of host and guest flat over ${String(TOTAL / MIB)} MiB`, async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "10000"] });
    const record = JSON.parse(readFileSync(join(kata.root, id, "kata.json"), "utf8")) as {
      vm: { vmm: { pid: number }; processes: { pid: number }[] };
    };
    const proxy = record.vm.processes[0]?.pid ?? 0;
    const pidFile = join(kata.directory, "writer.pid");
    const { read, write } = createPipe();
    const errors = createPipe();
    const count = String(TOTAL / BLOCK);
    const args = ["exec", "--pid-file", pidFile, id, "dd", "if=/dev/zero", "bs=64k", `count=${count}`];
    const child = spawn(kata.program, ["--root", kata.root, ...args], { stdio: ["ignore", write, errors.write] });
    for (const end of [write, errors.write]) closeSync(end);
    const exited = once(child, "exit");
    const said = text(openPollable(errors.read, { readable: true, writable: false }));
    const sample = async (): Promise<Sample> => {
      const meminfo = await kata.ok(["exec", id, "cat", "/proc/meminfo"]);
      const available = Number(/MemAvailable: +(\d+) kB/.exec(meminfo)?.[1]) * 1024;
      return {
        qemu: proportionalSet(record.vm.vmm.pid),
        proxy: proportionalSet(proxy),
        shim: proportionalSet(Number(readFileSync(pidFile, "utf8"))),
        guest: -available,
      };
    };

    const samples: Sample[] = [];
    const stream = openPollable(read, { readable: true, writable: false });
    let received = 0;
    for await (const chunk of stream) {
      received += (chunk as Buffer).length;
      if (received < (samples.length + 1) * (TOTAL / (PAUSES + 1)) || samples.length === PAUSES) continue;
      await delay(PAUSE_MS);
      samples.push(await sample());
    }
    // A block may be cut short where it is read: dd says how many it has written whole, and how many not.
    const [whole = 0, cut = 0] = (/^(\d+)\+(\d+) records out$/m.exec(await said) ?? []).slice(1).map(Number);
    expect(whole + cut, await said).toBe(TOTAL / BLOCK);
    expect(received, await said).toBeGreaterThanOrEqual(whole * BLOCK);
    expect(received, await said).toBeLessThanOrEqual(TOTAL);
    expect((await exited)[0]).toBe(0);
    const [first, ...later] = samples;
    for (const name of ["qemu", "proxy", "shim", "guest"] as const) {
      const peak = Math.max(...later.map((each) => each[name]));
      console.log(
        `${name}: ${String(Math.round((peak - (first?.[name] ?? 0)) / MIB))} MiB more at the peak, ${String(Math.round(Math.abs(peak) / MIB))} in all`,
      );
      expect(peak - (first?.[name] ?? 0), name).toBeLessThan(HEADROOM);
    }
  }, 600_000);
});
