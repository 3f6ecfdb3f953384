import { bootId, isAlive } from "@kata-ts/linux";
import { KataError } from "../errors.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { ContainerRecord } from "../ports/store.ts";

/** The runtime specification's states, and `paused`. */
export type ContainerStatus = "creating" | "created" | "running" | "paused" | "stopped";

/**
 * What a container's state is now: its record, checked against the processes that exist. Asks no process and takes
 * no lock, so that it is right also when the VM is dead or stuck.
 */
export function statusOf(record: ContainerRecord): ContainerStatus {
  if (record.status === "stopped" || record.bootId !== bootId()) return "stopped";
  if (record.status === "creating") return isWorking(record) ? "creating" : "stopped";
  if (record.shim === undefined || record.vm === undefined) return "stopped";
  if (!isAlive(record.shim) || !isAlive(record.vm.vmm)) return "stopped";
  return record.status === "starting" ? (isWorking(record) ? "created" : "running") : record.status;
}

/**
 * Whether the process that creates or starts the container is still at it. A create that was cut off is over; a start
 * that was cut off may have got through, and the container counts as running.
 */
function isWorking({ worker }: ContainerRecord): boolean {
  return worker !== undefined && isAlive(worker);
}

/** The shim's pid; 0 when there is no process. */
export function pidOf(record: ContainerRecord): number {
  return statusOf(record) === "stopped" ? 0 : (record.shim?.pid ?? 0);
}

/** @throws KataError KATA_STATE unless the container is in one of these states */
export function requireStatus(record: ContainerRecord, what: string, ...allowed: readonly ContainerStatus[]): VmState {
  const status = statusOf(record);
  if (allowed.includes(status) && record.vm !== undefined) return record.vm;
  if (what === "kill") throw new KataError("KATA_STATE", "container not running"); // runc's words: engines match on them.
  throw new KataError("KATA_STATE", `cannot ${what} container ${record.id}: it is ${status}`, {
    hint: `it must be ${allowed.join(" or ")}`,
  });
}
