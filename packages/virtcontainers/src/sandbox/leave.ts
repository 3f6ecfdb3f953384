import type { CallOptions } from "@kata-ts/agent-protocol";
import type { Ports } from "../environment.ts";
import { reasonOf } from "../errors.ts";
import type { ContainerId } from "../identifiers.ts";
import type { VmState } from "../ports/hypervisor.ts";
import { destroySandbox } from "./destroy.ts";
import { askToFlush } from "./flush.ts";
import { shrinkVm } from "./sizing.ts";

/**
 * Takes a container out of its sandbox; with the last one the VM ends.
 *
 * @param flush whether a guest that is ended writes back its files first
 * @returns whether the VM has ended
 */
export async function leaveSandbox(
  id: ContainerId,
  state: VmState,
  environment: Ports<"store" | "hypervisor" | "connectAgent">,
  flush: boolean,
): Promise<boolean> {
  const vm = environment.hypervisor.reopen(state);
  if (await vm.leave(id)) {
    await destroySandbox(state, environment, flush);
    return true;
  }
  if (!vm.isRunning()) return false;
  using agent = environment.connectAgent(state.agentUrl);
  const remove = (limits: CallOptions): Promise<unknown> => agent.removeContainer({ container_id: id }, limits);
  await askToFlush(`container ${id}`, remove, environment.warn);
  await vm.unplugDisk(id).catch((error: unknown) => {
    environment.warn(`the disk of container ${id} stays in its VM: ${reasonOf(error)}`);
  });
  await vm.unshare(id);
  await shrinkVm(vm, environment).catch((error: unknown) => {
    environment.warn(`the memory of container ${id} stays in its VM: ${reasonOf(error)}`);
  });
  return false;
}
