import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isAlive } from "@kata-ts/linux";
import { describe, expect, it } from "vitest";
import type { EditableSpec } from "../harness/bundle.ts";
import { expectCleanHost } from "../harness/clean-host.ts";
import { outOfMemoryKills, starve } from "../harness/faults/faults.ts";
import { readRecord } from "../harness/faults/victims.ts";
import { Kata } from "../harness/kata.ts";

function withSysrq(spec: EditableSpec): void {
  const linux = spec.linux as Record<string, unknown>;
  linux.maskedPaths = [];
  linux.readonlyPaths = [];
}

interface Exit {
  readonly reason: string;
  readonly console: readonly string[];
}

describe("a guest that fails by itself", () => {
  expectCleanHost({ guestsMayPanic: true });

  it("in a kernel panic is over at once, for everybody, and says why", async () => {
    await using kata = new Kata();
    const id = await kata.start({ args: ["sleep", "1000"], edit: withSysrq });
    const { vm, shim } = readRecord(kata, id);
    // The exec that panics the guest waits for its end, too.
    const panicking = await kata.run(["exec", id, "sh", "-c", "echo c > /proc/sysrq-trigger; sleep 1000"]);
    expect(panicking.exitCode).toBe(255);
    while (isAlive(shim)) await new Promise(setImmediate);
    expect((await kata.state(id)).status).toBe("stopped");
    // kata-proxy writes the reason down as its last deed.
    while (vm.processes.some(isAlive)) await new Promise(setImmediate);
    const exit = JSON.parse(readFileSync(join(vm.dir, "exit.json"), "utf8")) as Exit;
    expect(exit.reason).toBe("qemu-exited");
    expect(exit.console.join("\n")).toContain("Kernel panic");
    await kata.ok(["delete", id]);
  });

  it("for want of memory ends the process that took it, and nothing else", async () => {
    await using kata = Kata.configured("[hypervisor.qemu]\ndefault_memory = 256\n");
    const id = await kata.start({ args: ["sleep", "1000"] });
    const hog = await kata.run(["exec", id, "sh", "-c", "tail /dev/zero"]);
    expect(hog.exitCode).toBe(137);
    expect(await kata.ok(["exec", id, "echo", "goes on"])).toBe("goes on");
    await kata.ok(["delete", "--force", id]);
  });

  it("for want of the host's memory is reported as killed", async () => {
    await using kata = new Kata();
    const id = kata.id();
    const { path } = await kata.bundle({ args: ["sleep", "1000"] });
    await kata.create(id, path);
    await kata.ok(["start", id]);
    const { vm } = readRecord(kata, id);
    starve(kata, id);
    const hog = await kata.run(["exec", id, "sh", "-c", "tail /dev/zero"]);
    expect(hog.exitCode).toBe(255);
    expect((await kata.until(id, "stopped")).pid).toBe(0);
    expect(outOfMemoryKills(kata, id)).toBeGreaterThan(0);
    expect(isAlive(vm.vmm)).toBe(false);
    // kata-proxy ends last: it records what has happened, and then gives the network back.
    while (vm.processes.some(isAlive)) await new Promise(setImmediate);
    await kata.ok(["delete", "--force", id]);
  });
});
