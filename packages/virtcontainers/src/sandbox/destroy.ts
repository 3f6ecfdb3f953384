import type { Environment } from "../environment.ts";
import type { VmState } from "../ports/hypervisor.ts";

/** What a healthy guest needs to write back its files; one that does not answer in time is ended all the same. */
const FLUSH_DEADLINE_MS = 3_000;

/**
 * Ends a sandbox's VM and removes all of it. A guest that still answers first flushes its files to the host, unless
 * told not to wait for it.
 */
export async function destroySandbox(state: VmState, environment: Environment, flush: boolean): Promise<void> {
  environment.trace?.("vm-ending", state.dir);
  const vm = environment.hypervisor.reopen(state);
  if (flush && vm.isRunning()) {
    using agent = environment.connectAgent(state.agentUrl);
    await agent.destroySandbox({}, { deadlineMs: FLUSH_DEADLINE_MS }).catch(() => undefined);
    environment.trace?.("guest flushed", state.dir);
  }
  await vm.stop();
  environment.trace?.("vm ended", state.dir);
}

/** Ends a VM of which no record tells, and removes what is known to be its. */
export async function endFoundVm(state: VmState, { hypervisor, cgroups }: Environment): Promise<void> {
  await hypervisor.reopen(state).stop();
  await cgroups.remove(state.cgroup ?? []);
}
