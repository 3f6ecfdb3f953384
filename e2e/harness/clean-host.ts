import { afterEach, beforeEach, expect } from "vitest";
import { ConsoleWatch } from "./consoles.ts";
import { cacheSettled, type HostSnapshot, leaksSince, snapshotHost } from "./leaks.ts";

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
    await cacheSettled();
    const leaks = leaksSince(before);
    const complaints = options.guestsMayPanic === true ? [] : consoles.complaints();
    consoles[Symbol.dispose]();
    expect(leaks, "left over on the host").toEqual([]);
    expect(complaints, "on guests' consoles").toEqual([]);
  });
}
