import { connect } from "node:net";
import { join } from "node:path";
import { type FileLock, processTree, signalProcess, tryLockFile } from "@kata-ts/linux";
import { VmFile, type VmSurroundings } from "@kata-ts/proxy";
import { KataError } from "../errors.ts";
import type { ConnectAgent } from "../ports/agent.ts";
import type { BootRequest, VmState } from "../ports/hypervisor.ts";
import type { Vmm } from "../ports/vmm.ts";
import { reseed } from "../template/clone.ts";
import { UndoStack } from "../undo.ts";
import { supervisorOver } from "../vm/over-socket.ts";
import { startedState } from "../vm/recorded-state.ts";
import { outcomeOf } from "../vm/start-outcome.ts";
import type { StartedSupervisor } from "../vm/started-supervisor.ts";
import { VmHandle } from "../vm/vm-handle.ts";
import { readProcesses, writeOwner } from "../vm/vm-owner.ts";
import { surroundingsOf } from "../vm/vm-spec.ts";
import { isCached, isReady, removeMetadata } from "./metadata.ts";

/** One that waits answers at once. */
const ANSWER_SILENCE_MS = 3_000;

export interface Taking {
  readonly vmm: Vmm;
  readonly accelerator: string;
  readonly connectAgent: ConnectAgent;
}

/**
 * Gives a cached VM to the caller: its directory, its processes, its place in the network. No other call can take it then,
 * and it ends with this process unless it is committed.
 *
 * @returns undefined when another call was faster
 * @throws KataError KATA_PROXY, AgentRpcError when it does not answer: nothing is left of it then
 */
export async function take(directory: string, request: BootRequest, taking: Taking): Promise<VmHandle | undefined> {
  using claim = await claimOf(directory);
  if (claim === undefined || !(await isReady(directory))) return undefined;
  await using undo = new UndoStack();
  const state = await startedState(directory, taking.accelerator);
  undo.push(() => new VmHandle(state, taking.vmm).stop());
  // The taker records itself as owner before it removes the cache's metadata, so that gc never finds a VM without an owner.
  await writeOwner(directory, request);
  const [supervisor] = state.processes;
  for (const pid of supervisor === undefined ? [] : processTree(supervisor.pid)) request.onProcess?.(pid);
  const adopted = await adopt(state, request, taking.vmm);
  await removeMetadata(directory);
  await reseed(state.agentUrl, taking.connectAgent, request.signal);
  undo.keep();
  return new VmHandle(state, taking.vmm, { supervisor: adopted, answered: true, hasSharedTree: true });
}

/**
 * Ends a VM that no call has taken.
 *
 * @returns false when a call takes it at this moment, or its processes are unknown: gc removes those
 */
export async function discard(directory: string, vmm: Vmm): Promise<boolean> {
  using claim = await claimOf(directory);
  if (claim === undefined || !isCached(directory) || (await readProcesses(directory)) === undefined) return false;
  await new VmHandle(await startedState(directory, ""), vmm).stop();
  return true;
}

/** Undefined when another call holds the claim, or the VM is gone. */
async function claimOf(directory: string): Promise<FileLock | undefined> {
  try {
    return await tryLockFile(join(directory, "take.lock"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Sends the VM's supervisor its surroundings; the connection then stands for the pipe of the supervisor's starter. */
async function adopt(state: VmState, request: BootRequest, vmm: Vmm): Promise<StartedSupervisor> {
  const [supervisor] = state.processes;
  const control = connect(join(state.dir, VmFile.take));
  control.on("error", () => undefined);
  const { networkNamespace } = request;
  const surroundings: VmSurroundings = {
    ...surroundingsOf(vmm.settings, request),
    ...(networkNamespace === undefined ? {} : { networkNamespace }),
  };
  control.write(`${JSON.stringify(surroundings)}\n`);
  const outcome = await outcomeOf(control, { pid: supervisor?.pid, silenceMs: ANSWER_SILENCE_MS });
  const end = (): void => {
    if (supervisor !== undefined) signalProcess(supervisor, "SIGTERM");
  };
  if (outcome?.ok !== true) {
    control.destroy();
    throw new KataError("KATA_PROXY", `its kata-proxy ${outcome?.message ?? "does not answer"}`);
  }
  return supervisorOver(control, end);
}
