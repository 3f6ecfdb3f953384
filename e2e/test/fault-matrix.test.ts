import { appendFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { CELLS, isCreating, isDeadly, type Outcome, play } from "../harness/faults/matrix.ts";
import { Kata } from "../harness/kata.ts";
import { rotated } from "../harness/rotation.ts";

/** Waiters are released within two seconds of a death; a call that was being made meanwhile has some work of its own. */
const RELEASED_MS = 2_000;
/** `delete --force` waits five seconds for a guest that does not answer, and as long for processes that do not end. */
const DELETED_MS = 15_000;
/** A hanging guest is recognised by 20 s of silence, what it had begun is taken back, and its host's programs have seconds to answer. */
const GIVEN_UP_MS = 45_000;
/** A guest without much to be used up. */
const CONFIGURATION = "[runtime]\nboot_timeout = 8\n[hypervisor.qemu]\ndefault_memory = 256\n";
/** In how many days each cell has its turn. */
const SHARES = 16;
/** Where the measured times go, as lines of a Markdown table. */
const TABLE = process.env.KATA_TEST_FAULT_TABLE;

const TODAY = rotated(CELLS, SHARES);
/** Those of today, by what may be on a guest's console then; on some days no guest panics. */
const GROUPS = [
  ["by a signal, or for want of memory", false, TODAY.filter(({ fault }) => fault !== "panic")] as const,
  ["by a kernel panic", true, TODAY.filter(({ fault }) => fault === "panic")] as const,
].filter(([, , cells]) => cells.length > 0);

describe("when a process dies or hangs", () => {
  let bystanders: Kata;
  let bystander = "";

  beforeAll(async () => {
    bystanders = new Kata();
    bystander = await bystanders.start({ args: ["sleep", "10000"] });
  });

  afterAll(async () => {
    expect(await bystanders.ok(["exec", bystander, "echo", "unharmed"])).toBe("unharmed");
    await bystanders[Symbol.asyncDispose]();
  });

  describe.each(GROUPS)("at any step, %s", (_, guestsMayPanic, cells) => {
    expectCleanHost({ guestsMayPanic });

    it.each(cells.map((cell) => [cell.victim, cell.fault, cell.phase.name, cell] as const))(
      "%s by %s at %s: it is noticed, told, and cleaned up",
      async (victim, fault, phase, cell) => {
        await using kata = Kata.configured(CONFIGURATION);
        const outcome = await play(cell, kata);
        if (TABLE !== undefined) appendFileSync(TABLE, `${row([victim, fault, phase], outcome)}\n`);
        expect(outcome.deleted).toBeLessThan(DELETED_MS);
        expect((await bystanders.state(bystander)).status).toBe("running");
        if (isDeadly(cell)) expectNoticed(victim, phase, outcome);
        // What does not answer is waited for up to a deadline, and what has a part in nothing is not missed.
        else if (isCreating(phase)) expectGivenUp(outcome);
        if (victim === "guest" && fault === "no memory") expectUnharmed(phase, outcome);
      },
      180_000,
    );
  });
});

function expectGivenUp({ released, status, state }: Outcome): void {
  expect(state).toBe(status === 0 ? "created" : undefined);
  expect(released).toBeLessThan(GIVEN_UP_MS);
}

/** The guest's kernel has ended the process that took its memory, and no other. */
function expectUnharmed(phase: string, { status, state, stderr }: Outcome): void {
  if (phase === "deleting" || isCreating(phase)) expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const expected: Readonly<Record<string, string>> = { "sandbox-created": "created", "container-created": "created" };
  expect(state).toBe(phase === "deleting" ? undefined : (expected[phase] ?? "running"));
}

function expectNoticed(victim: string, phase: string, outcome: Outcome): void {
  const { released, status, stderr, state } = outcome;
  if (victim === "exec-shim") {
    expect(state).toBe("running");
    expect(status).not.toBe(0);
    return;
  }
  if (victim === "cli" && phase === "exec-attached") {
    expect(state).toBe("running");
    return;
  }
  if (phase === "deleting") {
    if (victim !== "cli") expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    return;
  }
  if (isCreating(phase)) {
    expect(state).toBe(victim === "cli" ? "stopped" : undefined);
    if (victim === "cli") return;
    expect(status).toBe(1);
    expect(stderr).toMatch(/level=error msg="(the guest did not come up|kata-shim|could not|cannot|create container)/);
  } else {
    expect(state).toBe("stopped");
  }
  expect(released).toBeLessThan(RELEASED_MS);
}

function row(names: readonly string[], { released, status, state, deleted }: Outcome): string {
  const time = (ms: number | undefined): string => (ms === undefined ? "–" : `${Math.round(ms).toString()} ms`);
  return `| ${[...names, time(released), String(status ?? "–"), state ?? "none", time(deleted)].join(" | ")} |`;
}
