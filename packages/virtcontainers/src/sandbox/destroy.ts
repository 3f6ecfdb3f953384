import type { VmState } from "../ports/hypervisor.ts";
import type { Ports } from "../ports/ports.ts";
import { askToFlush } from "./flush.ts";

/**
 * Ends a sandbox's VM and removes all of it. A guest that still answers first writes its files to its disks, unless
 * told not to wait for it.
 */
export async function destroySandbox(
  state: VmState,
  ports: Ports<"hypervisor" | "connectAgent">,
  flush: boolean,
): Promise<void> {
  ports.trace?.("vm-ending", state.dir);
  const vm = ports.hypervisor.reopen(state);
  if (flush && vm.isRunning()) {
    using agent = ports.connectAgent(state.agentUrl);
    const guest = `the guest of VM ${state.dir}`;
    await askToFlush(guest, (limits) => agent.destroySandbox({}, limits), ports.warn);
    ports.trace?.("guest flushed", state.dir);
  }
  await vm.stop();
  ports.trace?.("vm ended", state.dir);
}

/** Ends a VM of which no record tells, and removes what is known to be its. */
export async function endFoundVm(
  state: VmState,
  { hypervisor, cgroups }: Ports<"hypervisor" | "cgroups">,
): Promise<void> {
  await hypervisor.reopen(state).stop();
  await cgroups.remove(state.cgroup);
}
