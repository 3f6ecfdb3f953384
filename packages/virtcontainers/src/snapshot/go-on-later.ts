import { reasonOf } from "../errors.ts";
import type { Agent } from "../ports/agent.ts";
import type { Vm } from "../ports/hypervisor.ts";
import { LeftStanding } from "../ports/left-standing.ts";
import type { Network } from "../ports/network.ts";

/**
 * Sees to it that a VM goes on, with its network, that a failed `takeSnapshot` has left standing still because its monitor had hung: once
 * that answers. Without it the VM would stand still for good when what its monitor hung at is over.
 *
 * @param failure of takeSnapshot; where it has let the VM go on, nothing is done
 * @returns resolves when the VM goes on, or has ended; never rejects
 */
export async function goOnLater(
  failure: unknown,
  { vm, agent }: { readonly vm: Vm; readonly agent: Agent },
  network: Pick<Network, "sync">,
  warn: (message: string) => void,
): Promise<void> {
  if (!(failure instanceof LeftStanding)) return;
  try {
    await vm.goOn({ patient: true });
    await network.sync(vm, agent);
  } catch (error) {
    if (vm.isRunning()) warn(`the VM in ${vm.state.dir} stands still, or has no network: ${reasonOf(error)}`);
  }
}
