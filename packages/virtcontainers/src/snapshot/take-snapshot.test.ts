import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { KataError } from "../errors.ts";
import { noNetwork } from "../network/no-network.ts";
import type { Vm } from "../ports/hypervisor.ts";
import { LeftStanding } from "../ports/left-standing.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { FakeHypervisor } from "../testing/fake-hypervisor.ts";
import { type SnapshotRequest, takeSnapshot } from "./take-snapshot.ts";

/** A VM that can be saved, and what has been done with it. */
function savable(vm: Vm, spoil: (directory: string) => Promise<void>): { readonly vm: Vm; readonly done: string[] } {
  const done: string[] = [];
  const save: Vm["save"] = async (directory, { suffix }) => {
    done.push("saved");
    const [memory, state] = [`memory-${suffix}`, `state-${suffix}`];
    for (const name of [memory, state]) await writeFile(join(directory, name), name);
    await spoil(directory);
    return { memory, state, disks: [], growth: { vcpus: 0, memoryMiB: 0 }, accelerator: "fake" };
  };
  const goOn: Vm["goOn"] = async () => {
    done.push("goes on");
  };
  return { vm: Object.assign(vm, { save, goOn }), done };
}

it.each([true, false])(
  "a VM goes on where its snapshot cannot be finished (leave running: %s)",
  async (leaveRunning) => {
    const parent = await mkdtemp(join(tmpdir(), "take-"));
    const hypervisor = new FakeHypervisor();
    const booted = await hypervisor.boot({ sandboxId: "s" });
    // No file can be renamed to the name of a directory.
    const { vm, done } = savable(booted, (directory) =>
      mkdir(join(directory, "manifest.json"), { recursive: true }).then(),
    );
    const taking = takeSnapshot(join(parent, "snapshot"), {
      ...{
        vm,
        agent: new FakeAgent().connect(),
        network: noNetwork,
        hypervisor,
        sandboxId: "s",
        containers: [],
        leaveRunning,
        deadlineMs: 10_000,
      },
    });
    const error: unknown = await taking.catch((reason: unknown) => reason);
    process.kill(booted.state.vmm.pid, "SIGKILL");
    await rm(parent, { recursive: true });
    expect(error).toBeInstanceOf(KataError);
    expect(error).toMatchObject({ code: "KATA_SNAPSHOT" });
    // A VM that was left running has gone on by itself.
    expect(done).toEqual(leaveRunning ? ["saved"] : ["saved", "goes on"]);
  },
);

const NO_CARD = new Error("no card can be plugged in");

it.each<[string, RegExp, Partial<SnapshotRequest>, (vm: Vm) => void]>([
  [
    "stands still, and is given no cards",
    /EISDIR.*; and it stands still: no monitor$/,
    { leaveRunning: false },
    (vm) => {
      vm.goOn = () => Promise.reject(new Error("no monitor"));
    },
  ],
  [
    "stands still, after a signal, too",
    /could not be saved: no monitor$/,
    { signal: AbortSignal.abort(new Error("enough")) },
    (vm) => {
      vm.save = () => Promise.reject(new LeftStanding("no monitor", undefined));
    },
  ],
  [
    "has no network, after a signal, too",
    /enough; and it has no network any more: no card can be plugged in$/,
    { signal: AbortSignal.abort(new Error("enough")) },
    (vm) => {
      vm.save = async (_, { signal }) => {
        signal.throwIfAborted();
        throw new Error("not given up");
      };
    },
  ],
  [
    "has no network, though all else is saved",
    /no card can be plugged in; and it has no network any more/,
    {},
    () => undefined,
  ],
])("a VM is said to be what a failed snapshot has left: it %s", async (_, message, changes, spoil) => {
  const parent = await mkdtemp(join(tmpdir(), "take-"));
  const hypervisor = new FakeHypervisor();
  const { vm } = savable(await hypervisor.boot({ sandboxId: "s" }), async (directory) => {
    // No file can be renamed to the name of a directory.
    if (changes.leaveRunning === false) await mkdir(join(directory, "manifest.json"));
  });
  spoil(vm);
  const withdraw: SnapshotRequest["network"]["withdraw"] = () =>
    Promise.resolve({ giveBack: () => Promise.reject(NO_CARD), [Symbol.asyncDispose]: () => Promise.resolve() });
  const taking = takeSnapshot(join(parent, "snapshot"), {
    ...{ vm, agent: new FakeAgent().connect(), network: { withdraw }, hypervisor, sandboxId: "s", containers: [] },
    ...{ leaveRunning: true, deadlineMs: 10_000 },
    ...changes,
  });
  await expect(taking).rejects.toMatchObject({
    code: "KATA_SNAPSHOT",
    message: expect.stringMatching(message) as unknown,
  });
  process.kill(vm.state.vmm.pid, "SIGKILL");
  await rm(parent, { recursive: true });
});
