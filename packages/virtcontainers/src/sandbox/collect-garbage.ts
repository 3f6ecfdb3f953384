import { isAlive } from "@kata-ts/linux";
import { deleteContainer } from "../container/delete.ts";
import { statusOf } from "../container/status.ts";
import { KataError, reasonOf } from "../errors.ts";
import type { ContainerId } from "../identifiers.ts";
import type { FoundVm } from "../ports/hypervisor.ts";
import type { Ports } from "../ports/ports.ts";
import { endFoundVm } from "./destroy.ts";

/** Something that belongs to no living sandbox. */
export interface Garbage {
  readonly kind: "container" | "vm";
  /** A container's id, a VM's directory. */
  readonly name: string;
  readonly why: string;
}

export interface GarbageOptions {
  /** Only look. */
  readonly dryRun: boolean;
}

/**
 * Finds and removes what was left by something that could not clean up: a power cut, SIGKILL to everything. Containers
 * of this store whose VM is dead, with all that was theirs; and VMs, of whatever store, that no container's record
 * names and no live process has made. What lives is never touched. An item that cannot be removed is warned about, and
 * does not keep the others.
 */
export async function collectGarbage(ports: Ports, { dryRun }: GarbageOptions): Promise<Garbage[]> {
  const removed: Garbage[] = [];
  const dispose = async (garbage: Garbage, remove: () => Promise<void>): Promise<void> => {
    try {
      if (!dryRun) await remove();
      removed.push(garbage);
    } catch (error) {
      ports.warn(`${garbage.kind} ${garbage.name} (${garbage.why}) could not be removed: ${reasonOf(error)}`);
    }
  };
  for (const id of await ports.store.list()) {
    const why = await whyDead(id, ports);
    if (why === undefined) continue;
    await dispose({ kind: "container", name: id, why }, () => deleteContainer(id, { force: true }, ports));
  }
  for (const vm of await ports.hypervisor.found()) {
    const why = await whyAbandoned(vm, ports);
    if (why === undefined) continue;
    await dispose({ kind: "vm", name: vm.state.dir, why }, () => endFoundVm(vm.state, ports));
  }
  if (!dryRun) await ports.store.sweep();
  return removed;
}

/** A container that has ended while its VM lives waits for its engine to delete it. */
async function whyDead(id: ContainerId, { store }: Ports): Promise<string | undefined> {
  try {
    const record = await store.read(id);
    if (statusOf(record) !== "stopped") return undefined;
    if (record.vm === undefined) return "it was never finished";
    return record.vm.processes.some(isAlive) ? undefined : "its VM is dead";
  } catch (error) {
    if (error instanceof KataError && error.code === "KATA_NOT_FOUND") return undefined; // Deleted meanwhile.
    return "its record cannot be read";
  }
}

async function whyAbandoned(
  { owner, creator, state, detached }: FoundVm,
  { store }: Ports,
): Promise<string | undefined> {
  if (detached !== undefined) return isAlive(state.vmm) ? undefined : "it was detached, and has ended";
  if (isAlive(creator)) return undefined;
  if (owner === undefined) return "the process that it belonged to has ended";
  return (await store.vmAt(owner))?.dir === state.dir ? undefined : "no container's record names it";
}
