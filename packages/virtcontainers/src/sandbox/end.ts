import { signalProcess } from "@kata-ts/linux";
import type { Vm } from "../ports/hypervisor.ts";
import type { Ports } from "../ports/ports.ts";
import { askToFlush } from "./flush.ts";

/**
 * Ends a VM that belongs to this process, with all that runs in it; a guest that answers writes its files to its disks before. What is
 * left of it on the host goes with its containers, as after any end of a VM.
 */
export async function endSandbox(vm: Vm, ports: Ports<"connectAgent">): Promise<void> {
  if (!vm.isRunning()) return;
  const { agentUrl, dir, vmm } = vm.state;
  using agent = ports.connectAgent(agentUrl);
  await askToFlush(`the guest of VM ${dir}`, (limits) => agent.destroySandbox({}, limits), ports.warn);
  signalProcess(vmm, "SIGKILL");
  await vm.ended;
}
