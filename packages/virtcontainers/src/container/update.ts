import type { SpecResources } from "@kata-ts/agent-protocol";
import type { Ports } from "../environment.ts";
import type { ContainerId } from "../identifiers.ts";
import { asked } from "../sandbox/asked.ts";
import { demandOf, growVm, shrinkVm } from "../sandbox/sizing.ts";
import { guestResources, unappliedResources } from "./guest-resources.ts";
import { hostLimitsOf } from "./host-limits.ts";
import { updateInGuest } from "./in-guest.ts";
import { requireStatus } from "./status.ts";

/**
 * Changes a container's limits: the VM grows where they ask for more, the guest enforces them, the VM shrinks where they
 * ask for less, and the host's cgroup follows. What is not named stays.
 *
 * @throws KataError KATA_STATE, KATA_AGENT, KATA_CGROUP
 */
export async function updateContainer(
  id: ContainerId,
  resources: SpecResources,
  environment: Ports<"store" | "hypervisor" | "cgroups" | "connectAgent">,
): Promise<void> {
  const { store, hypervisor, cgroups } = environment;
  const before = await store.read(id);
  const vm = requireStatus(before, "update", "created", "running", "paused");
  const record = await store.update(id, (old) => ({ ...old, demand: demandOf(resources, old.demand) }));
  using agent = environment.connectAgent(vm.agentUrl);
  const running = hypervisor.reopen(vm);
  await growVm(running, agent, environment);
  for (const warning of unappliedResources(resources, record.sandboxId === id)) environment.warn(warning);
  await asked(`update container ${id}`, updateInGuest(agent, id, guestResources(resources)));
  await shrinkVm(running, environment);
  const overhead = record.sandboxId === id ? hypervisor.overhead : undefined;
  await cgroups.update(record.cgroup, hostLimitsOf(resources, overhead));
}
