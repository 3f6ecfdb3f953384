import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { StandstillWatch } from "./standstill-watch.ts";

const LIMIT_MS = 100;
/** Together they are some times the limit, however late each comes. */
const LOOKS = 10;
const APART_MS = LIMIT_MS / 2;

describe("a guest whose QEMU sleeps", () => {
  let qemu: ChildProcess;
  let exits: { count: number; refresh: () => void };
  let watch: StandstillWatch;

  beforeEach(async () => {
    qemu = spawn("sleep", ["1000"]);
    await once(qemu, "spawn");
    exits = { count: 0, refresh: () => undefined };
    watch = new StandstillWatch(qemu.pid ?? 0, exits, LIMIT_MS);
  });
  afterEach(() => {
    qemu.kill("SIGKILL");
  });

  it.each<[string, () => void]>([
    [
      "it writes to its console",
      () => {
        watch.onOutput(1);
      },
    ],
    [
      "it reaches its devices",
      () => {
        exits.count += 1;
      },
    ],
  ])("is only slow, as long as %s", async (_what, progress) => {
    for (let look = 0; look < LOOKS; look += 1) {
      await delay(APART_MS);
      progress();
      expect(watch.sample()).toBeUndefined();
    }
  });

  it("hangs where it does neither", async () => {
    let found: string | undefined;
    while (found === undefined) {
      await delay(APART_MS);
      found = watch.sample();
    }
    expect(found).toBe("hung: it slept for 0.1 s without a sign of progress");
  });
});
