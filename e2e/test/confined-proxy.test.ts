import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { isAlive } from "@kata-ts/linux";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { readRecord } from "../harness/faults/victims.ts";
import { Kata } from "../harness/kata.ts";
import { fieldOf, NO_PRIVILEGES, privilegesOf, rootsOf } from "../harness/privileges-of.ts";
import { vsockConfiguration } from "../harness/vsock.ts";

const NONE = "0000000000000000";
/** CAP_KILL: the kernel sends the parent-death signal of another user's process for no parent without it. */
const TO_KILL = "0000000000000020";

interface Processes {
  readonly proxy: number;
  readonly qemu: number;
}

async function start(kata: Kata): Promise<Processes & { readonly id: string }> {
  const id = await kata.start({ args: ["sleep", "1000"] });
  const { vm } = readRecord(kata, id);
  return { id, proxy: vm.processes[0]?.pid ?? 0, qemu: vm.vmm.pid };
}

describe("a kata-proxy that its guest has taken over", () => {
  expectCleanHost();

  it("has no right but to end its VM, in one thread, and is a user that no other program is", async () => {
    await using kata = new Kata();
    const { proxy, qemu } = await start(kata);
    const privileges = privilegesOf(proxy);
    // QuickJS has no other thread.
    const ofThreads = readdirSync(`/proc/${String(proxy)}/task`).length === 1 ? [TO_KILL] : [NONE, TO_KILL];
    for (const set of ["CapEff", "CapPrm"]) expect(privileges[set]?.flat().sort()).toEqual(ofThreads);
    expect({ ...privileges, CapEff: [[NONE]], CapPrm: [[NONE]] }).toEqual(NO_PRIVILEGES);
    const [[first = ""] = []] = fieldOf(qemu, "Uid");
    const own = String(Number(first) + 2);
    for (const field of ["Uid", "Gid"]) expect(fieldOf(proxy, field)).toEqual([[own, own, own, own]]);
  });

  it("sees no file, and holds no directory that would lead to one", async () => {
    await using kata = new Kata();
    const { proxy } = await start(kata);
    expect(rootsOf(proxy)).toEqual({ roots: 1, entries: [] });
    const descriptors = readdirSync(`/proc/${String(proxy)}/fd`).map((fd) => `/proc/${String(proxy)}/fd/${fd}`);
    const directories = descriptors.filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true);
    expect(directories.map((path) => readlinkSync(path))).toEqual([]);
    const limits = readFileSync(`/proc/${String(proxy)}/limits`, "latin1");
    expect(/^Max file size +(\d+) +(\d+)/m.exec(limits)?.slice(1)).toEqual(["1048576", "1048576"]);
  });

  it("sees the one socket of its guest's device where a program serves that, and reaches its guest by it", async () => {
    await using kata = Kata.configured(await vsockConfiguration());
    const { id, proxy, qemu } = await start(kata);
    // It waits for its guest, and so beside its starter.
    const [[first = ""] = []] = fieldOf(qemu, "Uid");
    const own = String(Number(first) + 2);
    await expect.poll(() => fieldOf(proxy, "Uid"), { timeout: 20_000 }).toEqual([[own, own, own, own]]);
    expect({ ...privilegesOf(proxy), CapEff: [[NONE]], CapPrm: [[NONE]] }).toEqual(NO_PRIVILEGES);
    expect(rootsOf(proxy)).toEqual({ roots: 1, entries: ["agent.sock"] });
    const { vm } = readRecord(kata, id);
    process.kill(proxy, "SIGTERM");
    await kata.until(id, "stopped");
    while (vm.processes.some(isAlive)) await new Promise(setImmediate);
  });

  it("still ends its VM when it is killed", async () => {
    await using kata = new Kata();
    const { id, proxy } = await start(kata);
    const { vm } = readRecord(kata, id);
    process.kill(proxy, "SIGKILL");
    await kata.until(id, "stopped");
    while (vm.processes.some(isAlive)) await new Promise(setImmediate);
  });

  it("would be root, among the host's files, without `confine_qemu`", async () => {
    await using kata = Kata.configured("[hypervisor.qemu]\nconfine_qemu = false\n");
    const { proxy } = await start(kata);
    expect(fieldOf(proxy, "Uid")).toEqual([["0", "0", "0", "0"]]);
    expect(fieldOf(proxy, "CapEff")).not.toContainEqual([NONE]);
    const { stdout } = await execa("ls", [`/proc/${String(proxy)}/root/etc/shadow`]);
    expect(stdout).toContain("shadow");
  });
});
