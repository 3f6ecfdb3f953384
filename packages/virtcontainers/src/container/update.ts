import type { SpecResources } from "@kata-ts/agent-protocol";
import type { ContainerId } from "../identifiers.ts";
import type { Ports } from "../ports/ports.ts";
import { growVm, resourceRequestOf, shrinkVm } from "../sandbox/sizing.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import { undoAfter } from "../undo.ts";
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
  ports: Ports<"store" | "hypervisor" | "cgroups" | "connectAgent">,
): Promise<void> {
  const { store, hypervisor, cgroups } = ports;
  const before = await store.read(id);
  const vm = requireStatus(before, "update", "created", "running", "paused");
  const record = await store.update(id, (old) => ({ ...old, demand: resourceRequestOf(resources, old.demand) }));
  using agent = ports.connectAgent(vm.agentUrl);
  const running = hypervisor.reopen(vm);
  try {
    await growVm(running, agent, ports);
  } catch (error) {
    // The limits stay as they were, and so does what later calls add up.
    await undoAfter(error, () => store.update(id, (now) => ({ ...now, demand: before.demand })));
    throw error;
  }
  for (const warning of unappliedResources(resources, record.sandboxId === id)) ports.warn(warning);
  await wrapAgentError(`update container ${id}`, updateInGuest(agent, id, guestResources(resources)));
  await shrinkVm(running, ports);
  const overhead = record.sandboxId === id ? hypervisor.overhead : undefined;
  await cgroups.update(record.cgroup, hostLimitsOf(resources, overhead));
}
