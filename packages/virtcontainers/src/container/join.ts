import { isAlive } from "@kata-ts/linux";
import type { ShimEnvironment } from "../environment.ts";
import { KataError } from "../errors.ts";
import { networkNamespaceOf } from "../hypervisor/network-place.ts";
import type { ContainerId } from "../identifiers.ts";
import { interruptible, onAbort } from "../interruption.ts";
import type { VmState } from "../ports/hypervisor.ts";
import { leaveSandbox } from "../sandbox/leave.ts";
import { growVm } from "../sandbox/sizing.ts";
import { UndoStack } from "../undo.ts";
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
  environment: ShimEnvironment,
  signal?: AbortSignal,
): Promise<CreatedContainer> {
  return interruptible(`create container ${config.id}`, signal, () => join(config, sandboxId, environment, signal));
}

async function join(
  config: ContainerConfig,
  sandboxId: ContainerId,
  environment: ShimEnvironment,
  signal: AbortSignal | undefined,
): Promise<CreatedContainer> {
  await using undo = new UndoStack();
  const state = await runningSandbox(sandboxId, environment);
  // The processes of a pod's containers stand in the pod's network on the host, too.
  const place = {
    sandboxId,
    networkNamespace: networkNamespaceOf(state),
    ...(signal === undefined ? {} : { signal }),
  };
  const { shim, update } = await beginContainer(config, place, environment, undo);
  await update({ vm: state });
  const vm = environment.hypervisor.reopen(state);
  undo.push(async () => {
    await leaveSandbox(config.id, state, environment, false);
  });
  await vm.join(config.id);
  using agent = environment.connectAgent(state.agentUrl);
  using _interruption = onAbort(signal, () => {
    agent.close();
  });
  await growVm(vm, agent, environment);
  const record = await finishContainer(config, { vm, agent, shim, update }, environment);
  signal?.throwIfAborted();
  undo.keep();
  return { record, shim };
}

/** Its first container may have ended: the VM is what counts. */
async function runningSandbox(id: ContainerId, { store }: ShimEnvironment): Promise<VmState> {
  const { vm } = await store.read(id);
  if (vm !== undefined && isAlive(vm.qemu)) return vm;
  throw new KataError("KATA_STATE", `sandbox ${id} is not running`, {
    hint: "its VM has ended: the pod has to be made anew",
  });
}
