import { appendFileSync, existsSync } from "node:fs";
import { signalProcess } from "@kata-ts/linux";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { Containerd } from "../harness/engines/containerd.ts";
import { expectNoShims } from "../harness/engines/no-shims.ts";
import { ourProcesses } from "../harness/engines/shim-process.ts";
import { SHIM_PHASES, type ShimPhase } from "../harness/faults/shim-phases.ts";
import { goneProcess, killProcess, ShimTask, stopProcess } from "../harness/faults/shim-task.ts";
import { rotated } from "../harness/rotation.ts";

/** A call is released by the end of the shim's connection; containerd then calls `delete`, which ends what is left. */
const RELEASED_MS = 20_000;
/** containerd asks a shim for two seconds how its task is. */
const LISTED_MS = 10_000;
/** In how many days each cell has its turn. */
const SHARES = 8;
/** Where the measured times go, as lines of a Markdown table. */
const TABLE = process.env.KATA_TEST_FAULT_TABLE;

const CELLS = SHIM_PHASES.flatMap((phase) => (["SIGKILL", "SIGSTOP"] as const).map((signal) => ({ phase, signal })));
const TODAY = rotated(CELLS, SHARES).map(({ phase, signal }) => [signal, phase.name, phase] as const);

describe("containerd-shim-kata-v2 as the victim", () => {
  let containerd: Containerd;
  let configuration: string;
  let serial = 0;

  beforeAll(async () => {
    containerd = await Containerd.start();
    configuration = containerd.file(
      "debug.toml",
      "[runtime]\nenable_debug = true\n[hypervisor.qemu]\ndefault_memory = 256\n",
    );
  });

  afterAll(async () => {
    await containerd[Symbol.asyncDispose]();
  });

  expectCleanHost();
  expectNoShims();

  it.each(TODAY)("%s at %s", async (signal, _, phase) => {
    const task = new ShimTask(`victim-${String(serial++)}`, containerd, configuration);
    await (signal === "SIGKILL" ? expectCleanedUp(task, phase) : expectToGoOn(task, phase));
    await task.containerd.ok("container", "delete", task.id);
    expect(existsSync(task.record)).toBe(false);
  });
});

/** The VM ends with its shim, the call fails, containerd learns of the task's end, and nothing is left. */
async function expectCleanedUp(task: ShimTask, phase: ShimPhase): Promise<void> {
  using events = await task.containerd.events();
  const { call, beyond } = await phase.reach(task);
  const { qemu, shim } = task;
  await killProcess(shim);
  const killedAt = performance.now();
  await goneProcess(qemu);
  const result = await call;
  if (phase.exitStatus !== undefined) {
    const exit = await events.until(new RegExp(`/tasks/exit .*${task.id}`));
    expect(exit).toContain(`"exit_status":${String(phase.exitStatus)}`);
  }
  const released = performance.now() - killedAt;
  if (beyond !== undefined) task.expectNotBeyond(beyond.step, beyond.times);
  if (result !== undefined) expect(result.exitCode).not.toBe(0);
  expect(released).toBeLessThan(RELEASED_MS);
  const status = await task.status();
  if (status !== undefined) await task.task("delete");
  expect(ourProcesses()).toEqual([]);
  report(phase, "SIGKILL", released, result?.exitCode, status);
}

/** While it is stopped, containerd answers; then it goes on, and nothing is lost. */
async function expectToGoOn(task: ShimTask, phase: ShimPhase): Promise<void> {
  const { call, beyond, guestIsFrozen = false } = await phase.reach(task);
  const { shim } = task;
  await stopProcess(shim);
  const stoppedAt = performance.now();
  const status = await task.status();
  const listed = performance.now() - stoppedAt;
  expect(listed).toBeLessThan(LISTED_MS);
  if (beyond !== undefined) task.expectNotBeyond(beyond.step, beyond.times);
  if (guestIsFrozen) task.thawGuest();
  signalProcess(shim, "SIGCONT");
  await phase.release?.(task);
  const result = await call;
  if (result !== undefined) {
    const { exitCode, stdout, stderr } = result;
    expect([exitCode, stdout]).toEqual([0, phase.output ?? ""]);
    expect(stderr).toMatch(phase.warning ?? /^$/);
  }
  if (phase.status === undefined) expect(await task.status()).toBeUndefined();
  else await task.until(phase.status);
  report(phase, "SIGSTOP", listed, result?.exitCode, status);
  await remove(task);
}

/** By containerd's own calls. */
async function remove(task: ShimTask): Promise<void> {
  const status = await task.status();
  if (status === undefined) return;
  if (status === "PAUSED") await task.task("resume");
  if (status !== "STOPPED") await task.task("kill", "--signal", "SIGKILL");
  await task.until("STOPPED");
  await task.task("delete");
  expect(await task.status()).toBeUndefined();
}

function report({ name }: ShimPhase, signal: string, ms: number, status?: number | null, state?: string): void {
  if (TABLE === undefined) return;
  const cells = [
    "containerd's shim",
    signal,
    name,
    `${Math.round(ms).toString()} ms`,
    String(status ?? "–"),
    state ?? "none",
    "–",
  ];
  appendFileSync(TABLE, `| ${cells.join(" | ")} |\n`);
}
