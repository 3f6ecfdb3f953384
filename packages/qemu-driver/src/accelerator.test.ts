import { chownSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { chooseAccelerator, noteKvmGuest } from "./accelerator.ts";
import type { AcceleratorProbe } from "./accelerator-choice.ts";

const BOOTED = 'say("Kernel panic - not syncing: VFS: Unable to mount root fs");';
/** Longer than a guest may stand still in these tests. */
const LONG_MS = 1_200;
const LIMITS = { stillMs: 600, totalMs: 20_000 };

/** A QEMU that is a program of Node's: `say` writes to the guest's console, `io_exits` is what its monitor tells. */
const PROLOGUE = `
const { appendFileSync, writeSync } = require("node:fs");
appendFileSync(__dirname + "/starts", ".");
const say = (line) => writeSync(1, line + "\\n");
let io_exits = 0;
const monitor = new (require("node:net").Socket)({ fd: 3 });
const answer = (message) => monitor.write(JSON.stringify(message) + "\\n");
answer({ QMP: {} });
monitor.setEncoding("utf8").on("data", (text) => {
  for (const { execute, id } of text.split("\\n").filter(Boolean).map((line) => JSON.parse(line))) {
    const stats = [{ provider: "kvm", stats: [{ name: "io_exits", value: io_exits }] }];
    answer({ return: execute === "query-stats" ? stats : {}, id });
  }
});
setInterval(() => undefined, 1000);
`;

let directory: string;
let probe: AcceleratorProbe;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "kata-accelerator-"));
  const at = (name: string): string => join(directory, name);
  writeFileSync(at("vmlinux"), "a kernel");
  probe = {
    qemuPath: at("qemu"),
    kernelPath: at("vmlinux"),
    cacheFile: at("cache/kvm.json"),
    limits: LIMITS,
    kvmDevice: "/dev/null",
  };
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function qemu(program: string): void {
  writeFileSync(probe.qemuPath, `#!${process.execPath}\n${PROLOGUE}${program}\n`, { mode: 0o755 });
}

/** How many guests have been tried. */
function trials(): number {
  return readFileSync(join(directory, "starts"), "utf8").length;
}

describe("a guest under KVM", () => {
  it("that boots makes it the choice", async () => {
    qemu(BOOTED);
    expect(await chooseAccelerator(probe)).toEqual({ accelerator: "kvm", reason: "a guest boots under KVM" });
  });

  it("that is slow is waited for, as long as it writes to its console", async () => {
    qemu(`const lines = setInterval(() => say("["), 150); setTimeout(() => { ${BOOTED} }, ${String(LONG_MS)});`);
    expect(await chooseAccelerator(probe)).toMatchObject({ accelerator: "kvm" });
  });

  it("that is slow and quiet is waited for, as long as it reaches its devices", async () => {
    qemu(`setInterval(() => { io_exits += 1; }, 50); setTimeout(() => { ${BOOTED} }, ${String(LONG_MS)});`);
    expect(await chooseAccelerator(probe)).toMatchObject({ accelerator: "kvm" });
  });

  it("that is slow and quiet is waited for, as long as it touches memory that it has not used before", async () => {
    qemu(`const used = []; setInterval(() => used.push(Buffer.alloc(1 << 20, 1)), 50);
      setTimeout(() => { ${BOOTED} }, ${String(LONG_MS)});`);
    expect(await chooseAccelerator(probe)).toMatchObject({ accelerator: "kvm" });
  });

  it("that ends is given up at once", async () => {
    qemu('process.stderr.write("error: failed to set MSR 0x10a\\n", () => process.exit(1));');
    const { accelerator, reason } = await chooseAccelerator(probe);
    expect({ accelerator, reason }).toEqual({
      accelerator: "tcg",
      reason: "/dev/kvm is there, but a guest under it ended: error: failed to set MSR 0x10a",
    });
  });

  it("that spins without a sign of progress is given up", async () => {
    qemu('say("booting the kernel"); for (;;);');
    const { accelerator, reason } = await chooseAccelerator(probe);
    expect(accelerator).toBe("tcg");
    expect(reason).toMatch(/hung: it ran for 0.6 s without a sign of progress: booting the kernel$/);
  });

  it("that sleeps without a sign of progress is given up", async () => {
    qemu("");
    expect((await chooseAccelerator(probe)).reason).toMatch(/hung: it (slept|ran) for 0.6 s/);
  });

  it("that makes progress without end is given up, and tried anew the next time", async () => {
    qemu('setInterval(() => say("["), 50);');
    const impatient = { ...probe, limits: { ...LIMITS, totalMs: 700 } };
    expect((await chooseAccelerator(impatient)).reason).toContain(
      "had not booted after 0.7 s, though it made progress",
    );
    qemu(BOOTED);
    expect(await chooseAccelerator(probe)).toMatchObject({ accelerator: "kvm" });
  });
});

describe("what was found", () => {
  it("is remembered, with the time, and tried anew when that is asked for", async () => {
    qemu(BOOTED);
    await chooseAccelerator(probe);
    expect((await chooseAccelerator(probe)).found).toMatch(/^\d{4}-\d\d-\d\dT/);
    expect(trials()).toBe(1);
    expect((await chooseAccelerator({ ...probe, fresh: true })).found).toBeUndefined();
    expect(trials()).toBe(2);
  });

  it("holds for one guest kernel, beside what was found for another", async () => {
    qemu(BOOTED);
    const other = { ...probe, kernelPath: join(directory, "other") };
    writeFileSync(other.kernelPath, "another kernel");
    for (const each of [probe, other, probe, other]) await chooseAccelerator(each);
    expect(trials()).toBe(2);
    utimesSync(other.kernelPath, 1, 1);
    await chooseAccelerator(other);
    expect(trials()).toBe(3);
  });

  it("is forgotten when a guest does not come up", async () => {
    qemu(BOOTED);
    await chooseAccelerator(probe);
    await noteKvmGuest(probe, false);
    await chooseAccelerator(probe);
    expect(trials()).toBe(2);
  });

  it("gives way to a guest that ran", async () => {
    qemu("process.exit(1);");
    expect(await chooseAccelerator(probe)).toMatchObject({ accelerator: "tcg" });
    await noteKvmGuest(probe, true);
    expect(await chooseAccelerator(probe)).toMatchObject({ accelerator: "kvm", reason: "a guest has run under KVM" });
    expect(trials()).toBe(1);
  });

  it("against KVM holds until the host boots again", async () => {
    qemu("process.exit(1);");
    await chooseAccelerator(probe);
    const file = probe.cacheFile ?? "";
    const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    writeFileSync(file, readFileSync(file, "utf8").replace(bootId, "another boot"));
    qemu(BOOTED);
    expect(await chooseAccelerator(probe)).toMatchObject({ accelerator: "kvm" });
  });

  it("is kept for root alone, and not believed from another user", async () => {
    qemu(`${BOOTED} process.exit(0);`);
    const file = join(directory, "cache/kvm.json");
    await chooseAccelerator(probe);
    expect([statSync(file), statSync(dirname(file))].map(({ mode }) => mode & 0o777)).toEqual([0o600, 0o700]);
    await chooseAccelerator(probe);
    expect(trials()).toBe(1);
    chownSync(file, 1234, 1234);
    await chooseAccelerator(probe);
    expect(trials()).toBe(2);
    expect(statSync(file).uid).toBe(0);
  });

  it("is asked anew where the file holds anything else", async () => {
    qemu(BOOTED);
    await chooseAccelerator(probe);
    for (const content of ["", "null", "[1]", '{"a":{"accelerator":"kvm"}}']) {
      writeFileSync(probe.cacheFile ?? "", content);
      expect(await chooseAccelerator(probe)).toMatchObject({ accelerator: "kvm" });
    }
    expect(trials()).toBe(5);
  });
});

it("KVM that cannot be opened is no choice, and says why", async () => {
  const kvmDevice = join(directory, "no-kvm");
  expect(await chooseAccelerator({ ...probe, kvmDevice })).toEqual({
    accelerator: "tcg",
    reason: `${kvmDevice} cannot be opened (ENOENT)`,
  });
});
