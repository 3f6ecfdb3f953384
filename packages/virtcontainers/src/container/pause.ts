import type { Ports } from "../environment.ts";
import type { ContainerId } from "../identifiers.ts";
import { asked } from "../sandbox/asked.ts";
import { setClock } from "../sandbox/clock.ts";
import { requireStatus } from "./status.ts";

/** Freezes all processes of a running container; the VM goes on. @throws KataError KATA_STATE, KATA_AGENT */
export async function pauseContainer(id: ContainerId, environment: Ports<"store" | "connectAgent">): Promise<void> {
  const record = await environment.store.read(id);
  const vm = requireStatus(record, "pause", "running");
  using agent = environment.connectAgent(vm.agentUrl);
  await asked(`pause container ${id}`, agent.pauseContainer({ container_id: id }));
  await environment.store.update(id, (before) => ({ ...before, status: "paused" }), record.incarnation);
}

/** @throws KataError KATA_STATE, KATA_AGENT */
export async function resumeContainer(id: ContainerId, environment: Ports<"store" | "connectAgent">): Promise<void> {
  const record = await environment.store.read(id);
  const vm = requireStatus(record, "resume", "paused");
  using agent = environment.connectAgent(vm.agentUrl);
  await asked("set the guest's clock", setClock(agent));
  await asked(`resume container ${id}`, agent.resumeContainer({ container_id: id }));
  await environment.store.update(id, (before) => ({ ...before, status: "running" }), record.incarnation);
}
