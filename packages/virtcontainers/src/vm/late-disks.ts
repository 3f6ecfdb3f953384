import type { UnplugOptions } from "../ports/hypervisor.ts";
import type { Machine } from "../ports/vmm.ts";
import type { DiskRecords } from "./disk-records.ts";

/**
 * Takes all disks of a container out. That they were asked for is recorded before: the guest may let go of them when the call has given
 * up, or was killed, and then the monitor has their devices open still.
 *
 * @throws LateDisk, after which it is recorded still
 */
export async function takeDisksOut(
  machine: Pick<Machine, "unplugDisks">,
  disks: DiskRecords,
  owner: string,
  options: UnplugOptions = {},
): Promise<void> {
  const last = await disks.leave(owner);
  await machine.unplugDisks(owner, { ...options, last });
  await disks.remove(owner);
}

/** Tries again with all that earlier calls have asked for. @throws LateDisk where a guest still has one */
export async function giveBackLateDisks(
  machine: Pick<Machine, "unplugDisks">,
  disks: DiskRecords,
  options: UnplugOptions = {},
): Promise<void> {
  const failures: unknown[] = [];
  for (const owner of await disks.leaving()) {
    await takeDisksOut(machine, disks, owner, options).catch((error: unknown) => failures.push(error));
  }
  if (failures.length > 0) throw failures[0];
}
