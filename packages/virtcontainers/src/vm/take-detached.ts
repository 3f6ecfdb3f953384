import { connect } from "node:net";
import { join } from "node:path";
import { isAlive, signalProcess } from "@kata-ts/linux";
import { TAKE, VmFile } from "@kata-ts/proxy";
import { KataError } from "../errors.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { Vmm } from "../ports/vmm.ts";
import { undoAfter } from "../undo.ts";
import { letGoOver, supervisorOver } from "./over-socket.ts";
import { outcomeOf } from "./start-outcome.ts";
import { VmHandle } from "./vm-handle.ts";
import { ownVm } from "./vm-owner.ts";

/** A supervisor that waits answers at once. */
const ANSWER_SILENCE_MS = 3_000;

/** See Hypervisor.take. Its supervisor gives it to one process, whatever the records say. */
export async function takeDetached(state: VmState, vmm: Vmm): Promise<VmHandle> {
  const [supervisor] = state.processes;
  const control = connect(join(state.dir, VmFile.door));
  control.on("error", () => undefined);
  const outcome = await outcomeOf(control, { pid: supervisor?.pid, silenceMs: ANSWER_SILENCE_MS });
  if (outcome?.ok !== true) {
    control.destroy();
    throw whyNot(state, outcome);
  }
  control.write(TAKE);
  try {
    await ownVm(state.dir);
  } catch (error) {
    await undoAfter(error, () => letGoOver(control));
    throw error;
  }
  const end = (): void => {
    if (supervisor !== undefined) signalProcess(supervisor, "SIGTERM");
  };
  return new VmHandle(state, vmm, { supervisor: supervisorOver(control, end), answered: true, hasSharedTree: true });
}

function whyNot(
  { dir, vmm }: VmState,
  outcome: { readonly code: string; readonly message: string } | undefined,
): KataError {
  if (outcome?.code === "KATA_STATE")
    return new KataError("KATA_STATE", `the VM in ${dir} belongs to another program, which is alive`, {
      hint: "detach it there first, or end it there",
    });
  if (!isAlive(vmm))
    return new KataError("KATA_VM_GONE", `the VM in ${dir} has ended`, {
      hint: "remove what is left of it: remove() of what Sandbox.list() finds, or kata-runtime gc",
    });
  return new KataError("KATA_PROXY", `the VM in ${dir} cannot be taken over: its kata-proxy does not answer`, {
    hint: "look at the state of that process with ps, and try again; or remove the sandbox: remove() of what Sandbox.list() finds ends it by force",
  });
}
