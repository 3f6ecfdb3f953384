import type { Environment } from "../environment.ts";
import { reasonOf } from "../errors.ts";
import type { ContainerId } from "../identifiers.ts";
import type { VmState } from "../ports/hypervisor.ts";
import { destroySandbox } from "./destroy.ts";

/** What a guest may take to end a container; one that does not answer keeps nobody from deleting its record. */
const REMOVE_DEADLINE_MS = 3_000;

/**
 * Takes a container out of its sandbox; with the last one the VM ends.
 *
 * @param flush whether a guest that is ended writes back its files first
 * @returns whether the VM has ended
 */
export async function leaveSandbox(
  id: ContainerId,
  state: VmState,
  environment: Environment,
  flush: boolean,
): Promise<boolean> {
  const vm = environment.hypervisor.reopen(state);
  if (await vm.leave(id)) {
    await destroySandbox(state, environment, flush);
    return true;
  }
  if (!vm.isRunning()) return false;
  using agent = environment.connectAgent(state.agentUrl);
  await agent.removeContainer({ container_id: id }, { deadlineMs: REMOVE_DEADLINE_MS }).catch(() => undefined);
  await vm.unplugDisk(id).catch((error: unknown) => {
    environment.warn(`the disk of container ${id} stays in its VM: ${reasonOf(error)}`);
  });
  await vm.unshare(id);
  return false;
}
