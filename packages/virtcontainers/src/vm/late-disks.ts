import type { UnplugOptions } from "../ports/hypervisor.ts";
import type { Machine } from "../ports/vmm.ts";
import type { DiskRecords } from "./disk-records.ts";

type Unplug = Pick<Machine, "unplugDisks">;

/**
 * Takes all disks of a container out. That they were asked for is recorded before: the guest may let go of them when the call has given
 * up, or was killed, and then the monitor has their devices open still. Others plug disks in while the guest is waited for.
 *
 * @throws LateDisk, after which it is recorded still
 */
export async function takeDisksOut(
  machine: Unplug,
  disks: DiskRecords,
  owner: string,
  options: UnplugOptions = {},
): Promise<void> {
  const last = await locked(disks, () => disks.leave(owner));
  await machine.unplugDisks(owner, { ...options, last });
  await locked(disks, () => disks.remove(owner));
}

/**
 * Tries again with all that earlier calls have asked for. The records are locked by the caller: what it is to be would else be another
 * container's disk, of the same name, by then.
 *
 * @throws LateDisk where a guest still has one
 */
export async function giveBackLateDisks(
  machine: Unplug,
  disks: DiskRecords,
  options: UnplugOptions = {},
): Promise<void> {
  const failures: unknown[] = [];
  for (const owner of await disks.leaving()) {
    try {
      await machine.unplugDisks(owner, { ...options, last: await disks.leave(owner) });
      await disks.remove(owner);
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

async function locked<T>(disks: DiskRecords, body: () => Promise<T>): Promise<T> {
  using _lock = await disks.lock();
  return await body();
}
