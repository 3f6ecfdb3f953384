import type { Environment } from "../environment.ts";
import type { ContainerId } from "../identifiers.ts";
import { asked } from "../sandbox/create.ts";
import { requireStatus } from "./status.ts";

/** Freezes all processes of a running container; the VM goes on. @throws KataError KATA_STATE, KATA_AGENT */
export async function pauseContainer(id: ContainerId, environment: Environment): Promise<void> {
  const vm = requireStatus(await environment.store.read(id), "pause", "running");
  using agent = environment.connectAgent(vm.agentUrl);
  await asked(`pause container ${id}`, agent.pauseContainer({ container_id: id }));
  await environment.store.update(id, (record) => ({ ...record, status: "paused" }));
}

/** @throws KataError KATA_STATE, KATA_AGENT */
export async function resumeContainer(id: ContainerId, environment: Environment): Promise<void> {
  const vm = requireStatus(await environment.store.read(id), "resume", "paused");
  using agent = environment.connectAgent(vm.agentUrl);
  await asked(`resume container ${id}`, agent.resumeContainer({ container_id: id }));
  await environment.store.update(id, (record) => ({ ...record, status: "running" }));
}
