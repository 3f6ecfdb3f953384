import type { CallOptions } from "@kata-ts/agent-protocol";
import { reasonOf } from "../errors.ts";
import type { ContainerId } from "../identifiers.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { Ports } from "../ports/ports.ts";
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
  ports: Ports<"store" | "hypervisor" | "connectAgent">,
  flush: boolean,
): Promise<boolean> {
  const vm = ports.hypervisor.reopen(state);
  if (await vm.leave(id)) {
    await destroySandbox(state, ports, flush);
    return true;
  }
  if (!vm.isRunning()) return false;
  using agent = ports.connectAgent(state.agentUrl);
  const remove = (limits: CallOptions): Promise<unknown> => agent.removeContainer({ container_id: id }, limits);
  await askToFlush(`container ${id}`, remove, ports.warn);
  await vm.unplugDisk(id).catch((error: unknown) => {
    ports.warn(`the disk of container ${id} stays in its VM: ${reasonOf(error)}`);
  });
  await vm.unshare(id);
  await shrinkVm(vm, ports).catch((error: unknown) => {
    ports.warn(`the memory of container ${id} stays in its VM: ${reasonOf(error)}`);
  });
  return false;
}
