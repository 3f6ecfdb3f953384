import { isAlive } from "@kata-ts/linux";
import { KataError } from "../errors.ts";
import type { ContainerId } from "../identifiers.ts";
import { interruptible, onAbort } from "../interruption.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { AllPorts } from "../ports/ports.ts";
import { leaveSandbox } from "../sandbox/leave.ts";
import { growVm } from "../sandbox/sizing.ts";
import { UndoStack } from "../undo.ts";
import { networkNamespaceOf } from "../vm/network-place.ts";
import { checkCapabilities } from "./check-capabilities.ts";
import type { ContainerConfig } from "./config.ts";
import { beginContainer, type CreatedContainer, finishContainer } from "./creation.ts";

/**
 * Creates a container in the VM of a sandbox that runs, as another container of a pod. What fails is taken back; the
 * sandbox goes on.
 *
 * @param sandboxId the id of the pod's first container
 * @param signal aborting it takes back what has been made, whatever is being waited for
 * @throws KataError KATA_NOT_FOUND, KATA_STATE when there is no such sandbox, or it does not run
 */
export async function joinSandbox(
  config: ContainerConfig,
  sandboxId: ContainerId,
  ports: AllPorts,
  signal?: AbortSignal,
): Promise<CreatedContainer> {
  return interruptible(`create container ${config.id}`, signal, () => join(config, sandboxId, ports, signal));
}

async function join(
  config: ContainerConfig,
  sandboxId: ContainerId,
  ports: AllPorts,
  signal: AbortSignal | undefined,
): Promise<CreatedContainer> {
  checkCapabilities(config, ports.hypervisor);
  await using undo = new UndoStack();
  const state = await runningSandbox(sandboxId, ports);
  // The processes of a pod's containers stand in the pod's network on the host, too.
  const place = {
    sandboxId,
    networkNamespace: networkNamespaceOf(state),
    signal,
  };
  const { shim, update } = await beginContainer(config, place, ports, undo);
  await update({ vm: state });
  const vm = ports.hypervisor.reopen(state);
  undo.push(async () => {
    await leaveSandbox(config.id, state, ports, false);
  });
  await vm.join(config.id);
  using agent = ports.connectAgent(state.agentUrl);
  using _interruption = onAbort(signal, () => {
    agent.close();
  });
  await growVm(vm, agent, ports);
  const record = await finishContainer(config, { vm, agent, shim, update }, ports);
  signal?.throwIfAborted();
  undo.keep();
  return { record, shim };
}

/** Its first container may have ended: the VM is what counts. */
async function runningSandbox(id: ContainerId, { store }: AllPorts): Promise<VmState> {
  const { vm } = await store.read(id);
  if (vm !== undefined && isAlive(vm.vmm)) return vm;
  throw new KataError("KATA_STATE", `sandbox ${id} is not running`, {
    hint: "its VM has ended: the pod has to be made anew",
  });
}
