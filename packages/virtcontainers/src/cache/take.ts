import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { type FileLock, processTree, signalProcess, tryLockFile } from "@kata-ts/linux";
import { COMMIT, VmFile, type VmSurroundings } from "@kata-ts/proxy";
import { KataError } from "../errors.ts";
import type { QemuConfig } from "../hypervisor/qemu-config.ts";
import { QemuVm } from "../hypervisor/qemu-vm.ts";
import { outcomeOf } from "../hypervisor/start-outcome.ts";
import { vmDirectory } from "../hypervisor/vm-directory.ts";
import { readProcesses, writeOwner } from "../hypervisor/vm-owner.ts";
import { surroundingsOf } from "../hypervisor/vm-spec.ts";
import type { StartedWatchman } from "../hypervisor/watchman-start.ts";
import type { ConnectAgent } from "../ports/agent.ts";
import type { BootRequest, VmState } from "../ports/hypervisor.ts";
import { reseed } from "../template/clone.ts";
import { UndoStack } from "../undo.ts";
import { isCached, isReady, removeNote } from "./note.ts";

/** One that waits answers at once. */
const ANSWER_DEADLINE_MS = 3_000;

export interface Taking {
  readonly config: QemuConfig;
  readonly accelerator: string;
  readonly connectAgent: ConnectAgent;
}

/**
 * Makes a cached VM the asker's: its directory, its processes, its place in the network. Nobody else can take it then,
 * and it ends with this process unless it is committed.
 *
 * @returns undefined when somebody else was faster
 * @throws KataError KATA_PROXY, AgentRpcError when it does not answer: nothing is left of it then
 */
export async function take(directory: string, request: BootRequest, taking: Taking): Promise<QemuVm | undefined> {
  using claim = await claimOf(directory);
  if (claim === undefined || !(await isReady(directory))) return undefined;
  await using undo = new UndoStack();
  const state = await stateOf(directory, taking.accelerator);
  undo.push(() => new QemuVm(state, taking.config, undefined).stop());
  // First whose it is: should we be killed, it is found as one that is cached, or as one of ours that was lost.
  await writeOwner(directory, request);
  const [watchman] = state.processes;
  for (const pid of watchman === undefined ? [] : processTree(watchman.pid)) request.onProcess?.(pid);
  const vm = new QemuVm(state, taking.config, await moveIn(state, request, taking.config));
  await removeNote(directory);
  await reseed(vm, taking.connectAgent, request.signal);
  vm.hasSharedTree = true;
  undo.keep();
  return vm;
}

/**
 * Ends one that nobody has taken.
 *
 * @returns false when somebody takes it at this moment, or nobody can tell what is left of it: that is for gc
 */
export async function discard(directory: string, config: QemuConfig): Promise<boolean> {
  using claim = await claimOf(directory);
  if (claim === undefined || !isCached(directory) || (await readProcesses(directory)) === undefined) return false;
  await new QemuVm(await stateOf(directory, ""), config, undefined).stop();
  return true;
}

/** Undefined when somebody else is at it, or it is gone. */
async function claimOf(directory: string): Promise<FileLock | undefined> {
  try {
    return await tryLockFile(join(directory, "take.lock"));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function stateOf(directory: string, accelerator: string): Promise<VmState> {
  const noted = await readProcesses(directory);
  if (noted?.qemu === undefined) throw new KataError("KATA_PROXY", `${directory} does not name its processes`);
  const { processes, qemu } = noted;
  return { dir: directory, agentUrl: `unix://${vmDirectory(directory).proxySocket}`, processes, qemu, accelerator };
}

/** Tells the VM's watchman where it belongs; the connection is to it what its starter's pipe was. */
async function moveIn(state: VmState, request: BootRequest, config: QemuConfig): Promise<StartedWatchman> {
  const [watchman] = state.processes;
  const control = connect(join(state.dir, VmFile.take));
  control.on("error", () => undefined);
  const { networkNamespace } = request;
  const surroundings: VmSurroundings = {
    ...surroundingsOf(config, request),
    ...(networkNamespace === undefined ? {} : { networkNamespace }),
  };
  control.write(`${JSON.stringify(surroundings)}\n`);
  const outcome = await outcomeOf(control, ANSWER_DEADLINE_MS);
  const end = (): void => {
    if (watchman !== undefined) signalProcess(watchman, "SIGTERM");
  };
  if (outcome?.ok !== true) {
    control.destroy();
    throw new KataError("KATA_PROXY", `its kata-proxy ${outcome?.message ?? "does not answer"}`);
  }
  return watchmanBehind(control, end);
}

function watchmanBehind(control: Socket, end: () => void): StartedWatchman {
  let committed = false;
  const ended: Promise<undefined> = new Promise((resolve) => {
    control.once("close", () => {
      if (!committed) resolve(undefined);
    });
  });
  control.resume();
  return {
    ended,
    commit: () => {
      committed = true;
      control.end(COMMIT);
    },
    unref: () => {
      control.unref();
    },
    stop: async () => {
      end();
      await ended;
    },
  };
}
