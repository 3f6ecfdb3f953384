import type { SpecResources } from "@kata-ts/agent-protocol";
import type { Environment } from "../environment.ts";
import type { ContainerId } from "../identifiers.ts";
import { asked } from "../sandbox/create.ts";
import { updateInGuest } from "./in-guest.ts";
import { requireStatus } from "./status.ts";

/** Changes a container's limits in its guest; what is not named stays. @throws KataError KATA_STATE, KATA_AGENT */
export async function updateContainer(
  id: ContainerId,
  resources: SpecResources,
  environment: Environment,
): Promise<void> {
  const vm = requireStatus(await environment.store.read(id), "update", "created", "running", "paused");
  using agent = environment.connectAgent(vm.agentUrl);
  await asked(`update container ${id}`, updateInGuest(agent, id, resources));
}
