import type { ContainerId } from "../identifiers.ts";
import type { Agent } from "../ports/agent.ts";
import type { Vm } from "../ports/hypervisor.ts";

/** A sandbox without containers: a running VM whose agent is ready for them. */
export interface LiveSandbox extends AsyncDisposable {
  readonly id: ContainerId;
  readonly vm: Vm;
  readonly agent: Agent;
  /** From now on the sandbox outlives this process. */
  commit(): void;
}

/** Of a VM that belongs to this process, and whose agent answers. */
export function liveSandbox(id: ContainerId, vm: Vm, agent: Agent): LiveSandbox {
  return {
    id,
    vm,
    agent,
    commit: () => {
      vm.commit();
    },
    [Symbol.asyncDispose]: async () => {
      agent.close();
      await vm.stop();
    },
  };
}
