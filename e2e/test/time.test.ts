import { setTimeout as delay } from "node:timers/promises";
import { type ProcessIdentity, readProcessStat } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Call } from "../harness/faults/call.ts";
import { freezeAgent } from "../harness/faults/faults.ts";
import { childrenOf, readRecord } from "../harness/faults/victims.ts";
import { GuestClock } from "../harness/guest-clock.ts";
import { pythonRootfs } from "../harness/images.ts";
import { Kata } from "../harness/kata.ts";
import { ShiftedClock } from "../harness/shifted-clock.ts";

const SLEEP = { args: ["sleep", "1000"] };
/** Longer than any heartbeat, and than what a lost channel is waited for. */
const PAUSE_SECONDS = Number(process.env.KATA_TEST_PAUSE ?? 12);

/** What a busy machine's answers may be late by. How exactly a clock is set by them is the agent's unit test. */
const CLOCK_BOUND_MS = 100;

/** Stops processes, as a host that is suspended stops all of them, and lets them go on. */
async function suspended(pids: readonly number[], seconds: number): Promise<void> {
  for (const pid of pids) process.kill(pid, "SIGSTOP");
  try {
    for (const pid of pids) while (readProcessStat(pid)?.state !== "T") await delay(1);
    await delay(seconds * 1000);
  } finally {
    for (const pid of [...pids].reverse()) process.kill(pid, "SIGCONT");
  }
}

describe("time", () => {
  expectCleanHost();

  it(`a host that was suspended for ${String(PAUSE_SECONDS)} s goes on where it was: streams, statuses, calls`, async () => {
    await using kata = new Kata();
    const id = await kata.start(SLEEP);
    const { vm, shim } = readRecord(kata, id);
    await using exec = new Call(kata, ["exec", id, "sh", "-c", "read line; exit 7"], "pipe");
    await exec.reach("exec-started");
    const all = [exec.pid, ...childrenOf(exec.pid), shim.pid, ...vm.processes.map(({ pid }) => pid)];
    await suspended(all, PAUSE_SECONDS);
    exec.child.stdin?.end("after\n");
    expect((await exec.ended).status).toBe(7);
    expect(await kata.ok(["exec", id, "echo", "goes on"])).toBe("goes on");
    await kata.ok(["kill", id, "KILL"]);
    await kata.until(id, "stopped");
    await kata.ok(["delete", id]);
  });

  it("a guest's clock is its host's when a container starts, and follows it", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"], image: await pythonRootfs() });
    await using clock = new GuestClock(kata, id);
    expect(Math.abs(await clock.behind())).toBeLessThan(CLOCK_BOUND_MS);
    await kata.ok(["debug", id, "sh", "-c", "date -s @$(($(date +%s) - 5))"]);
    expect(await clock.behind()).toBeGreaterThan(3000);
    await kata.ok(["pause", id]);
    await kata.ok(["resume", id]);
    expect(Math.abs(await clock.behind())).toBeLessThan(CLOCK_BOUND_MS);
    await kata.ok(["delete", "--force", id]);
  });

  it("a guest whose clock jumps by an hour, either way, does all that it did", async () => {
    await using kata = new Kata();
    const id = await kata.start(SLEEP);
    for (const jump of [3600, -7200]) {
      const set = `date -s @$(($(date +%s) + ${String(jump)})) >/dev/null && date +%s`;
      const before = Number(await kata.ok(["debug", id, "date", "+%s"]));
      const after = Number(await kata.ok(["debug", id, "sh", "-c", set]));
      expect(Math.abs(after - before - jump)).toBeLessThan(60);
      expect((await kata.run(["exec", id, "sh", "-c", "sleep 0.1; exit 5"])).exitCode).toBe(5);
      await kata.ok(["pause", id]);
      await kata.ok(["resume", id]);
      await kata.ok(["events", "--stats", id]);
    }
    await kata.ok(["kill", id, "KILL"]);
    await kata.until(id, "stopped");
    await kata.ok(["delete", id]);
  });

  it("a host whose clock is set by an hour, either way, goes on with all that waits, and takes nothing for old", async () => {
    using clock = await ShiftedClock.install();
    await using kata = new Kata([], clock.runtime);
    const id = await kata.start(SLEEP);
    for (const shift of [3600, -3600]) {
      await using exec = new Call(kata, ["exec", id, "sh", "-c", "read line; exit 7"], "pipe");
      await exec.reach("exec-started");
      const other = kata.id();
      const { path } = await kata.bundle(SLEEP);
      await using creating = new Call(kata, ["create", "--bundle", path, other]);
      await creating.reach("vm-started");
      clock.set(shift);
      expect(Math.abs((await clock.now()) - Date.now() - shift * 1000)).toBeLessThan(60_000);
      expect(await kata.ok(["gc"])).toBe("");
      expect((await creating.ended).status).toBe(0);
      exec.child.stdin?.end("after\n");
      expect((await exec.ended).status).toBe(7);
      await kata.ok(["delete", "--force", other]);
      await kata.ok(["events", "--stats", id]);
      clock.set(0);
    }
    await kata.ok(["kill", id, "KILL"]);
    await kata.until(id, "stopped");
    await kata.ok(["delete", id]);
  });

  it("an agent that hangs alone, while its kernel lives, blocks no call: state answers, delete --force ends it all", async () => {
    await using kata = new Kata();
    const id = await kata.start(SLEEP);
    const { vm, shim } = readRecord(kata, id);
    await using waiting = new Call(kata, ["exec", id, "sleep", "1000"]);
    await waiting.reach("exec-started");
    await using freezing = await freezeAgent(kata, id);
    expect((await kata.state(id)).status).toBe("running");
    await using killing = new Call(kata, ["kill", id, "TERM"]);
    await kata.ok(["delete", "--force", id]);
    const over = await Promise.all([waiting, killing, freezing].map(async (call) => (await call?.ended)?.status));
    expect(over[0]).toBe(255);
    expect(over[1]).toBe(1);
    for (const process of [shim, ...vm.processes]) expect(isGone(process)).toBe(true);
    await kata.ok(["delete", "--force", id]);
  });
});

function isGone({ pid }: ProcessIdentity): boolean {
  const state = readProcessStat(pid)?.state;
  return state === undefined || state === "Z";
}
