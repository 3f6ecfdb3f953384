import type { SpecProcess } from "@kata-ts/agent-protocol";
import { KataError } from "../errors.ts";
import type { ContainerId } from "../identifiers.ts";
import type { Vm } from "../ports/hypervisor.ts";
import type { Ports } from "../ports/ports.ts";
import type { ContainerRecord } from "../ports/store.ts";
import { takeSnapshot } from "../snapshot/take-snapshot.ts";
import { deleteContainer } from "./delete.ts";
import { requireStatus } from "./status.ts";

export interface CheckpointOptions {
  /** The container goes on when it is saved; else its VM stands still from then on, and is of no more use. */
  readonly leaveRunning: boolean;
  /** Its first process, as config.json has it. */
  readonly process: SpecProcess;
  /** Milliseconds for the copies of memory and disks, for which the container stands still; 60 000 by default. */
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const DEADLINE_MS = 60_000;

/**
 * Saves a container with its VM to a directory, and deletes it unless it is to go on.
 *
 * @throws KataError as saveContainer
 */
export async function checkpointContainer(
  id: ContainerId,
  directory: string,
  options: CheckpointOptions,
  ports: Ports<"store" | "hypervisor" | "network" | "cgroups" | "connectAgent">,
): Promise<void> {
  await saveContainer(id, directory, options, ports);
  if (!options.leaveRunning) await deleteContainer(id, { force: true }, ports);
}

/**
 * Saves a container with its VM to a directory. It is for the caller to end one that is not to go on.
 *
 * @throws KataError KATA_STATE, KATA_SNAPSHOT, KATA_UNSUPPORTED: the container goes on, and an earlier snapshot in the directory is
 *   still there
 */
export async function saveContainer(
  id: ContainerId,
  directory: string,
  { leaveRunning, process, deadlineMs = DEADLINE_MS, signal }: CheckpointOptions,
  ports: Ports<"store" | "hypervisor" | "network" | "connectAgent">,
): Promise<void> {
  const record = await ports.store.read(id);
  const state = requireStatus(record, "checkpoint", "running", "paused");
  const vm = ports.hypervisor.reopen(state);
  await requireAlone(vm, record);
  const demand = record.demand ?? { milliCpus: 0, memoryMiB: 0 };
  using agent = ports.connectAgent(state.agentUrl);
  await takeSnapshot(directory, {
    ...{ vm, agent, hypervisor: ports.hypervisor, network: ports.network },
    sandboxId: id,
    containers: [{ id, process, user: record.user, hasDisks: true, status: "running", demand }],
    ...{ leaveRunning, deadlineMs, signal },
  });
  ports.trace?.("container saved", id);
}

/**
 * Lets a container go on, with its network, whose checkpoint was killed, or had to give up on a monitor that had hung: that is waited for as
 * long as the VM runs. Idempotent.
 *
 * @throws KataError KATA_STATE when it has ended
 */
export async function continueContainer(
  id: ContainerId,
  { store, hypervisor, network, connectAgent }: Ports<"store" | "hypervisor" | "network" | "connectAgent">,
): Promise<void> {
  const state = requireStatus(await store.read(id), "continue", "running", "paused");
  const vm = hypervisor.reopen(state);
  await vm.goOn({ patient: true });
  using agent = connectAgent(state.agentUrl);
  await network.sync(vm, agent);
}

async function requireAlone(vm: Vm, { id, sandboxId }: ContainerRecord): Promise<void> {
  const others = (await vm.members()).filter((member) => member !== id);
  if (sandboxId === id && others.length === 0) return;
  const why =
    others.length > 0
      ? `it shares its VM with ${others.join(", ")}`
      : `it has joined the VM of ${sandboxId}, which has gone since`;
  throw new KataError("KATA_UNSUPPORTED", `container ${id} cannot be saved: ${why}`, {
    hint: "containers that have a VM of their own can be saved",
  });
}
