import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect } from "vitest";
import { ourProcesses, shimSockets } from "./shim-process.ts";

/** containerd does not wait for the end of a shim that it has told to end. */
const SHIM_END_MS = 30_000;

/** After each test the shims have ended, which containerd does not wait for, and their sockets are gone. */
export function expectNoShims(): void {
  let sockets: readonly string[];
  beforeEach(() => {
    sockets = shimSockets();
  });
  afterEach(async () => {
    // A test that has failed may have left its container: the hook fails then, too, instead of waiting for ever.
    const deadline = performance.now() + SHIM_END_MS;
    while (ourProcesses().includes("containerd-shim-kata-v2") && performance.now() < deadline) await delay(10);
    expect(ourProcesses(), "shims that have not ended").not.toContain("containerd-shim-kata-v2");
    expect(shimSockets(), "sockets of shims").toEqual(sockets);
  });
}
