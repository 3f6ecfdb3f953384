import { setTimeout as delay } from "node:timers/promises";
import { isAlive, signalProcess } from "@kata-ts/linux";
import { KataError } from "../errors.ts";
import { runPoststopHooks } from "../hooks/hooks.ts";
import type { ContainerId } from "../identifiers.ts";
import type { Ports } from "../ports/ports.ts";
import type { ContainerRecord } from "../ports/store.ts";
import { endFoundVm } from "../sandbox/destroy.ts";
import { leaveSandbox } from "../sandbox/leave.ts";
import { OUT_OF_MEMORY } from "../sandbox/wait-for-agent.ts";
import { ranOutOfMemory } from "./stats.ts";
import { statusOf } from "./status.ts";

export interface DeleteOptions {
  /** From whatever state, and without an error if there is no such container. */
  readonly force: boolean;
}

/** How long a shim may take to end after its VM did; the kernel ends it after that. */
const SHIM_DEADLINE_MS = 1_000;
const KILL_DEADLINE_MS = 5_000;

/**
 * Removes a container, and with the last one of a sandbox its VM. Nothing of it is left afterwards.
 *
 * @throws KataError KATA_STATE when it runs, KATA_NOT_FOUND; neither with `force`
 */
export async function deleteContainer(
  id: ContainerId,
  options: DeleteOptions,
  ports: Ports<"store" | "hypervisor" | "cgroups" | "connectAgent">,
): Promise<void> {
  let record = await readOrForgive(id, options, ports);
  // What is added to it meanwhile, by a creation that still runs, goes, too.
  while (record !== undefined && !(await removeAll(id, record, options, ports))) {
    record = await readOrForgive(id, options, ports);
  }
  ports.trace?.("container-deleted", id);
}

/** @returns false when the record has changed since it was read */
async function removeAll(
  id: ContainerId,
  record: ContainerRecord,
  options: DeleteOptions,
  ports: Ports<"store" | "hypervisor" | "cgroups" | "connectAgent">,
): Promise<boolean> {
  const status = statusOf(record);
  // As runc: a container whose process was never started may go, too.
  if (!options.force && status !== "stopped" && status !== "created") {
    throw new KataError("KATA_STATE", `cannot delete container ${id} that is not stopped: ${status}`, {
      hint: "stop it first, or use --force",
    });
  }
  const flush = status === "stopped" || status === "created";
  const { vm } = record;
  if (vm !== undefined && (await ranOutOfMemory(vm, ports))) ports.warn(`${id}: ${OUT_OF_MEMORY}`);
  // What another program has frozen cannot end, even by SIGKILL.
  ports.cgroups.thaw(record.cgroup);
  ports.cgroups.thaw(vm?.cgroup);
  const ended = vm === undefined || (await leaveSandbox(id, vm, ports, flush));
  await endShim(record);
  await runPoststopHooks(record, ports.warn);
  // The cgroup of a pod's first container holds the VM, and goes with that.
  if (ended || record.sandboxId !== id) await ports.cgroups.remove(record.cgroup);
  if (ended) await ports.cgroups.remove(vm?.cgroup);
  return ports.store.remove(id, record);
}

/** A record that cannot be read must not keep `--force` from removing it. */
async function readOrForgive(
  id: ContainerId,
  { force }: DeleteOptions,
  ports: Ports<"store" | "hypervisor" | "cgroups" | "connectAgent">,
): Promise<ContainerRecord | undefined> {
  try {
    return await ports.store.read(id);
  } catch (error) {
    if (!force || !(error instanceof KataError)) throw error;
    if (error.code === "KATA_STATE_FILE") await removeUnreadable(id, ports);
    return undefined;
  }
}

/** Its VM knows whose it is. */
async function removeUnreadable(
  id: ContainerId,
  ports: Ports<"store" | "hypervisor" | "cgroups" | "connectAgent">,
): Promise<void> {
  const location = ports.store.locationOf(id);
  for (const { owner, state } of await ports.hypervisor.found()) {
    if (owner === location) await endFoundVm(state, ports);
  }
  await ports.store.remove(id);
}

// The shim learns of its guest's end by itself and exits; only a stuck one is killed.
async function endShim(record: ContainerRecord): Promise<void> {
  const { shim, sharedShim = false } = record;
  if (shim === undefined || sharedShim) return;
  const killAt = performance.now() + SHIM_DEADLINE_MS;
  while (isAlive(shim)) {
    if (performance.now() > killAt) signalProcess(shim, "SIGKILL");
    if (performance.now() > killAt + KILL_DEADLINE_MS) {
      throw new KataError("KATA_STATE", `shim ${String(shim.pid)} of ${record.id} does not end, even by SIGKILL`);
    }
    await delay(5);
  }
}
