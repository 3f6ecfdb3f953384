import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identifyProcess } from "@kata-ts/linux";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { VmState } from "../ports/hypervisor.ts";
import { LateDisk } from "../ports/late-disk.ts";
import { FakeMachine } from "../testing/fake-machine.ts";
import { FakeVmm } from "../testing/fake-vmm.ts";
import { DiskRecords } from "./disk-records.ts";
import { VmHandle } from "./vm-handle.ts";

describe("disks that a guest lets go of late", () => {
  let directory: string;
  let disk: string;
  let machine: FakeMachine;
  let vmm: FakeVmm;
  let state: VmState;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "kata-late-disks-"));
    disk = join(directory, "disk");
    writeFileSync(disk, "");
    const itself = identifyProcess(process.pid);
    state = { dir: directory, agentUrl: "", processes: [itself], vmm: itself, accelerator: "fake" };
    vmm = new FakeVmm({ vmRoot: directory });
    machine = await fakeMachine(vmm, state);
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** As of another call, each. */
  const vm = (): VmHandle => new VmHandle(state, vmm);

  async function leaveLate(): Promise<void> {
    await vm().plugDisk("a", disk);
    machine.isLate = true;
    await expect(vm().unplugDisk("a")).rejects.toThrow(LateDisk);
    expect(machine.disks.has("a 0")).toBe(true);
  }

  it("are given back before the VM gets another one, which does not wait for them", async () => {
    await leaveLate();
    await vm().plugDisk("b", disk);
    expect([...machine.disks.keys()]).toEqual(["a 0", "b 0"]);
    machine.isLate = false;
    await vm().plugDisk("c", disk);
    expect([...machine.disks.keys()]).toEqual(["b 0", "c 0"]);
  });

  it("are asked for, also where the record of another one goes while it is read", async () => {
    await vm().plugDisk("a", disk);
    symlinkSync("gone", join(directory, "disks", "b.0.json"));
    await vm().unplugDisk("a");
    expect([...machine.disks.keys()]).toEqual([]);
  });

  it("keep their container's name from another disk, which would go with them", async () => {
    await vm().plugDisk("a", disk, { index: 1 });
    await leaveLate();
    await expect(vm().plugDisk("a", disk)).rejects.toThrow(LateDisk);
    machine.isLate = false;
    await vm().plugDisk("a", disk);
    expect([...machine.disks.keys()]).toEqual(["a 0"]);
  });

  it("take the record of no disk with them that another call has plugged in since", async () => {
    await vm().plugDisk("a", disk);
    const waited = Promise.withResolvers<void>();
    const out = Promise.withResolvers<void>();
    const unplug = machine.unplugDisks.bind(machine);
    machine.unplugDisks = async (owner) => {
      await unplug(owner);
      waited.resolve();
      await out.promise;
    };
    const leaving = vm().unplugDisk("a");
    await waited.promise;
    machine.unplugDisks = unplug;
    await vm().plugDisk("a", disk);
    out.resolve();
    await leaving;
    const [record] = await new DiskRecords(directory).list();
    expect(record).toMatchObject({ owner: "a", index: 0 });
  });

  it("keep the VM from being saved, until they are out", async () => {
    await leaveLate();
    const save = () => vm().save(directory, { suffix: "s", leaveRunning: true, signal: AbortSignal.timeout(10_000) });
    await expect(save()).rejects.toMatchObject({
      code: "KATA_DISK",
      message: "the guest has not let go of a disk of container a in time, and may do so later",
    });
    machine.isLate = false;
    expect((await save()).disks).toEqual([]);
    expect([...machine.disks.keys()]).toEqual([]);
  });
});

async function fakeMachine(vmm: FakeVmm, state: VmState): Promise<FakeMachine> {
  const machine = await vmm.machine(state);
  if (machine instanceof FakeMachine) return machine;
  throw new Error("the machine of a fake monitor is a fake");
}
