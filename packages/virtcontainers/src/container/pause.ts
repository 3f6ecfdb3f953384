import type { ContainerId } from "../identifiers.ts";
import type { Ports } from "../ports/ports.ts";
import type { ContainerRecord, RecordedStatus } from "../ports/store.ts";
import { setClock } from "../sandbox/clock.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import { requireStatus } from "./status.ts";

/** A container that has ended meanwhile stays as it is. */
function unlessStopped(status: RecordedStatus): (before: ContainerRecord) => ContainerRecord {
  return (before) => (before.status === "stopped" ? before : { ...before, status });
}

/** Freezes all processes of a running container; the VM goes on. @throws KataError KATA_STATE, KATA_AGENT */
export async function pauseContainer(id: ContainerId, ports: Ports<"store" | "connectAgent">): Promise<void> {
  const record = await ports.store.read(id);
  const vm = requireStatus(record, "pause", "running");
  using agent = ports.connectAgent(vm.agentUrl);
  await wrapAgentError(`pause container ${id}`, agent.pauseContainer({ container_id: id }));
  await ports.store.update(id, unlessStopped("paused"), record.incarnation);
}

/** @throws KataError KATA_STATE, KATA_AGENT */
export async function resumeContainer(id: ContainerId, ports: Ports<"store" | "connectAgent">): Promise<void> {
  const record = await ports.store.read(id);
  const vm = requireStatus(record, "resume", "paused");
  using agent = ports.connectAgent(vm.agentUrl);
  await wrapAgentError("set the guest's clock", setClock(agent));
  await wrapAgentError(`resume container ${id}`, agent.resumeContainer({ container_id: id }));
  await ports.store.update(id, unlessStopped("running"), record.incarnation);
}
