import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect } from "vitest";
import { giveUpCommands } from "./command.ts";
import { ConsoleWatch } from "./consoles.ts";
import { cacheSettled, type HostSnapshot, leaksSince, snapshotHost } from "./leaks.ts";

const CLEAN_UP_MS = 60_000;

export interface CleanHostOptions {
  /** For tests that make a guest panic. */
  readonly guestsMayPanic?: boolean;
}

/** After every test of the file: nothing is left on the host, and no guest's kernel complained. */
export function expectCleanHost(options: CleanHostOptions = {}): void {
  let before: HostSnapshot;
  let consoles: ConsoleWatch;

  beforeEach(async () => {
    await cacheSettled();
    consoles = new ConsoleWatch();
    before = snapshotHost();
  });

  afterEach(async () => {
    if (giveUpCommands()) await cleanedUp(before);
    await cacheSettled();
    const leaks = leaksSince(before);
    const complaints = options.guestsMayPanic === true ? [] : consoles.complaints();
    consoles[Symbol.dispose]();
    expect(leaks, "left over on the host").toEqual([]);
    expect(complaints, "on guests' consoles").toEqual([]);
  });
}

/** Once its commands are given up, a test that has hung goes on to its own clean-up, which may not last for ever. */
async function cleanedUp(before: HostSnapshot): Promise<void> {
  const deadline = performance.now() + CLEAN_UP_MS;
  while (leaksSince(before).length > 0 && performance.now() < deadline) await delay(200);
}
