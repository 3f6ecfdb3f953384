import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identifyProcess, isAlive } from "@kata-ts/linux";
import { VmFile } from "@kata-ts/proxy";
import { expect, it } from "vitest";
import { FakeAgent } from "../testing/fake-agent.ts";
import { fakePorts } from "../testing/fake-ports.ts";
import { createVmDirectory } from "../vm/vm-directory.ts";
import { Sandbox } from "./sandbox.ts";

const DEAD = { pid: 2 ** 22 - 1, startTime: 1 };

it("finds sandboxes of programs, not VMs that a record names, nor such as have no id", async () => {
  const ports = fakePorts(() => new FakeAgent().connect());
  await using made = await Sandbox.create({ id: "of-program" }, ports);
  await using _recorded = await stopped(ports.hypervisor.boot({ sandboxId: "of-engine", owner: "/run/r/kata.json" }));
  await using _strange = await stopped(ports.hypervisor.boot({ sandboxId: "../strange" }));
  const [found, ...others] = await Sandbox.list({}, ports);
  expect(others).toEqual([]);
  expect(found).toMatchObject({ id: "of-program", pid: process.pid, state: "running" });
  await made[Symbol.asyncDispose]();
  expect(found?.state).toBe("ended");
});

it("removes what a killed program has left, and nothing of a living one", async () => {
  const ports = fakePorts(() => new FakeAgent().connect());
  await using _living = await Sandbox.create({ id: "living" }, ports);
  ports.hypervisor.creator = DEAD;
  await using _left = await stopped(ports.hypervisor.boot({ sandboxId: "left" }));
  const byState = Object.fromEntries((await Sandbox.list({}, ports)).map((found) => [found.state, found]));
  const vms = await ports.hypervisor.found();
  await expect(byState.running?.remove()).rejects.toMatchObject({
    code: "KATA_STATE",
    message: `sandbox living belongs to process ${String(process.pid)}, which is alive`,
  });
  await byState.left?.remove();
  await byState.left?.remove();
  const alive = vms.filter(({ state }) => isAlive(state.vmm)).map(({ sandboxId }) => sandboxId);
  expect(alive).toEqual(["living"]);
});

it("reads of a directory whose sandbox it is, and how far it has come", async () => {
  const vmRoot = await mkdtemp(join(tmpdir(), "found-"));
  try {
    const { path } = await createVmDirectory(vmRoot, { sandboxId: "one" });
    expect((await Sandbox.list({ vm: { vmRoot } })).map(({ id, state }) => [id, state])).toEqual([["one", "starting"]]);
    const own = identifyProcess(process.pid);
    await writeFile(join(path, VmFile.processes), JSON.stringify({ processes: [own], vmm: own }));
    expect((await Sandbox.list({ vm: { vmRoot } })).map(({ state }) => state)).toEqual(["running"]);
    await writeFile(join(path, "owner.json"), JSON.stringify({ sandboxId: "one", creator: DEAD }));
    await writeFile(join(path, VmFile.processes), JSON.stringify({ processes: [DEAD], vmm: DEAD }));
    const [left] = await Sandbox.list({ vm: { vmRoot } });
    expect(left).toMatchObject({ id: "one", pid: DEAD.pid, state: "left" });
    await left?.remove();
    expect(await readdir(vmRoot)).toEqual([]);
  } finally {
    await rm(vmRoot, { recursive: true });
  }
});

it("finds no VM that is being made to wait for a sandbox, however far it has come", async () => {
  const vmRoot = await mkdtemp(join(tmpdir(), "found-"));
  try {
    const { path } = await createVmDirectory(vmRoot, { sandboxId: "cached-1", cached: true });
    expect(await Sandbox.list({ vm: { vmRoot } })).toEqual([]);
    const own = identifyProcess(process.pid);
    for (const processes of [own, DEAD]) {
      await writeFile(join(path, VmFile.processes), JSON.stringify({ processes: [processes], vmm: processes }));
      expect(await Sandbox.list({ vm: { vmRoot } })).toEqual([]);
    }
    await createVmDirectory(vmRoot, { sandboxId: "one" });
    expect((await Sandbox.list({ vm: { vmRoot } })).map(({ id }) => id)).toEqual(["one"]);
  } finally {
    await rm(vmRoot, { recursive: true });
  }
});

it("refuses options that are none, and finds nothing for a call that was given up", async () => {
  await expect(Sandbox.list({ root: "/run" } as object)).rejects.toMatchObject({ code: "KATA_CONFIG" });
  await expect(Sandbox.list({ signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
});

async function stopped<T extends { stop(): Promise<void> }>(booted: Promise<T>): Promise<AsyncDisposable> {
  const vm = await booted;
  return { [Symbol.asyncDispose]: () => vm.stop() };
}
