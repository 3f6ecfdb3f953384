import { open } from "node:fs/promises";
import { join } from "node:path";
import { copySparse } from "@kata-ts/proxy";
import { KataError } from "../errors.ts";
import { openFileOf } from "../host/open-file.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { SavedDisk, SavedVm, SaveVmOptions } from "../ports/saved-vm.ts";
import type { Machine } from "../ports/vmm.ts";
import { readBootGrowth } from "./boot-growth.ts";
import type { DiskRecord } from "./disk-records.ts";
import type { SharedTree } from "./shared-tree.ts";

export interface VmToSave {
  readonly machine: Machine;
  readonly state: VmState;
  readonly disks: readonly DiskRecord[];
  /** What it has of the host's files, where it has any. */
  readonly tree?: Pick<SharedTree, "exports" | "requireFound" | "waitUntilFound"> | undefined;
}

/** Saves a VM that runs: its machine, and a copy of each of its disks from the moment in which it stood still. */
export async function saveVm(
  { machine, state, disks, tree }: VmToSave,
  directory: string,
  { suffix, leaveRunning, signal }: SaveVmOptions,
): Promise<SavedVm> {
  const scsi = disks.find(({ kind }) => kind === "scsi");
  if (scsi !== undefined) {
    throw new KataError(
      "KATA_UNSUPPORTED",
      `a disk of container ${scsi.owner} is a unit of a SCSI adapter: it cannot be saved`,
      {
        hint: "attach disks by virtio-blk: see vm.disks.scsi",
      },
    );
  }
  const saved = disks.map((disk, index) => ({ disk, file: `disk${String(index)}-${suffix}` }));
  const [memory, file] = [`memory-${suffix}`, `state-${suffix}`];
  const guest = { path: directory, memory: join(directory, memory), state: join(directory, file) };
  const exports = await tree?.exports();
  await tree?.waitUntilFound(signal);
  const copyDisks = async (deadline: AbortSignal): Promise<void> => {
    tree?.requireFound();
    for (const each of saved) await copyDisk(each.disk, state.vmm.pid, join(directory, each.file), deadline);
  };
  await machine.save(guest, { whileStopped: copyDisks, leaveRunning, signal });
  return {
    memory,
    state: file,
    disks: saved.map((each) => savedDisk(each.disk, each.file)),
    ...(exports === undefined ? {} : { exports }),
    growth: await readBootGrowth(state.dir),
    accelerator: state.accelerator,
  };
}

function savedDisk({ owner, index, where, readonly }: DiskRecord, file: string): SavedDisk {
  return { owner, index, where, readonly, file };
}

/** Out of the descriptor that the monitor has: the disk may be a file without a name. */
async function copyDisk(disk: DiskRecord, monitor: number, path: string, signal: AbortSignal): Promise<void> {
  const source = openFileOf(monitor, ({ dev, ino }) => String(dev) === disk.device && String(ino) === disk.inode);
  if (source === undefined)
    throw new KataError("KATA_SNAPSHOT", `the disk of container ${disk.owner} at ${disk.where} is not open in its VM`);
  await using target = await open(path, "wx", 0o600);
  await copySparse(source, target.fd, signal);
  await target.sync();
}
