import type { Ports } from "../environment.ts";
import type { VmState } from "../ports/hypervisor.ts";
import { askToFlush } from "./flush.ts";

/**
 * Ends a sandbox's VM and removes all of it. A guest that still answers first writes its files to its disks, unless
 * told not to wait for it.
 */
export async function destroySandbox(
  state: VmState,
  environment: Ports<"hypervisor" | "connectAgent">,
  flush: boolean,
): Promise<void> {
  environment.trace?.("vm-ending", state.dir);
  const vm = environment.hypervisor.reopen(state);
  if (flush && vm.isRunning()) {
    using agent = environment.connectAgent(state.agentUrl);
    const guest = `the guest of VM ${state.dir}`;
    await askToFlush(guest, (limits) => agent.destroySandbox({}, limits), environment.warn);
    environment.trace?.("guest flushed", state.dir);
  }
  await vm.stop();
  environment.trace?.("vm ended", state.dir);
}

/** Ends a VM of which no record tells, and removes what is known to be its. */
export async function endFoundVm(
  state: VmState,
  { hypervisor, cgroups }: Ports<"hypervisor" | "cgroups">,
): Promise<void> {
  await hypervisor.reopen(state).stop();
  await cgroups.remove(state.cgroup);
}
