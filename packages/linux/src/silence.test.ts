import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";
import { Silence } from "./silence.ts";

const LIMIT_MS = 100;

/** Milliseconds until a program is given up. */
async function givenUpAfter(program: string): Promise<number> {
  const child = spawn("sh", ["-c", `${program} & wait`], { detached: true });
  await once(child, "spawn");
  const began = performance.now();
  const silence = new Silence(child.pid, LIMIT_MS);
  try {
    while (!silence.isOver()) await delay(1);
    return performance.now() - began;
  } finally {
    process.kill(-(child.pid ?? 0), "SIGKILL");
    await once(child, "exit");
  }
}

it("a process that works is waited for longer than one that sleeps, and not for ever", {
  timeout: 60_000,
}, async () => {
  const [asleep, atWork] = [await givenUpAfter("sleep 1000"), await givenUpAfter("while :; do :; done")];
  expect(asleep).toBeGreaterThanOrEqual(LIMIT_MS);
  expect(atWork).toBeGreaterThan(5 * LIMIT_MS);
});

it("a caller that was kept from looking has missed one sample alone", () => {
  const silence = new Silence(undefined, LIMIT_MS);
  const until = performance.now() + 2 * LIMIT_MS;
  while (performance.now() < until);
  expect(silence.isOver()).toBe(false);
});
