import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { withFallback } from "@kata-ts/agent-protocol";
import type { NetworkNamespace } from "@kata-ts/netns";
import type { ContainerId } from "../identifiers.ts";
import { endOnAbort } from "../interruption.ts";
import type { Agent } from "../ports/agent.ts";
import type { RecordedCgroup } from "../ports/cgroups.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { Ports } from "../ports/ports.ts";
import type { RestoredDisk } from "../ports/saved-vm.ts";
import { requireSameMachine } from "../snapshot/compare-fingerprints.ts";
import type { OpenSnapshot } from "../snapshot/open-snapshot.ts";
import { RestoredDisks } from "../snapshot/restored-disks.ts";
import { SnapshotDirectory } from "../snapshot/snapshot-directory.ts";
import { UndoStack } from "../undo.ts";
import { setClock } from "./clock.ts";
import { type LiveSandbox, liveSandbox } from "./live-sandbox.ts";
import { wrapAgentError } from "./wrap-agent-error.ts";

/** How a sandbox is to be that is restored; what is not here is as it was saved. */
export interface RestoreConfig {
  readonly id: ContainerId;
  /** What its processes live in, and whose interfaces it takes over; without it the caller's, and none. */
  readonly namespace?: NetworkNamespace | undefined;
  /** BootRequest.resolvConf. */
  readonly resolvConf?: string | undefined;
  /** The ids that its containers have on the host from now on, by those that they were saved with. */
  readonly names?: ReadonlyMap<string, string> | undefined;
  /** SandboxConfig.onBoot. */
  readonly onBoot?: ((vm: VmState) => Promise<void>) | undefined;
  /** SandboxConfig.onProcess. */
  readonly onProcess?: ((pid: number) => void) | undefined;
  /** BootRequest.owner. */
  readonly owner?: string | undefined;
  /** BootRequest.cgroup. */
  readonly cgroup?: RecordedCgroup | undefined;
  readonly signal?: AbortSignal | undefined;
  /** RestoreSource.memoryStays, for a snapshot in a directory of the caller's that no other call writes to. */
  readonly memoryStays?: boolean | undefined;
  /** Its containers stand still until their `resumeContainer`. */
  readonly held?: boolean | undefined;
}

function renamed(disk: RestoredDisk, names: RestoreConfig["names"]): RestoredDisk {
  return { ...disk, owner: names?.get(disk.owner) ?? disk.owner };
}

/** Its first part is the container's id. */
function renamedUser(user: string, names: RestoreConfig["names"]): string {
  const [id = "", ...which] = user.split("/");
  return [names?.get(id) ?? id, ...which].join("/");
}

/** A container that was paused runs once it is restored, as by runc: a guest knows by itself which of its containers stand still. */
async function letRun(agent: Agent, id: string): Promise<void> {
  await wrapAgentError(`let container ${id} run`, agent.resumeContainer({ container_id: id }));
}

/**
 * Its caller has it go on later. One that was paused when it was saved stands still already, and is not to run for a moment; a runtime
 * that pauses nothing twice says so.
 */
async function hold(agent: Agent, id: string): Promise<void> {
  const pause = (): Promise<unknown> => agent.pauseContainer({ container_id: id });
  const paused = pause().catch(async () => {
    await letRun(agent, id);
    await pause();
  });
  await wrapAgentError(`pause container ${id}`, paused);
}

async function renameContainer(agent: Agent, from: string, to: string): Promise<void> {
  if (from === to) return;
  const renaming = agent.renameContainer({ container_id: from, new_id: to });
  await wrapAgentError(`give container ${from} the id ${to}`, renaming);
}

/**
 * Opens a snapshot, checked whole against this host and its own digests: nothing of it has been restored yet. To be disposed.
 *
 * @throws KataError KATA_SNAPSHOT, the signal's reason
 */
export async function openSnapshot(
  path: string,
  { hypervisor }: Ports<"hypervisor">,
  signal?: AbortSignal,
): Promise<OpenSnapshot> {
  const snapshot = await new SnapshotDirectory(path).open(signal);
  try {
    requireSameMachine(path, snapshot.manifest.fingerprint, await hypervisor.fingerprint());
    await snapshot.verify(signal);
    return snapshot;
  } catch (error) {
    snapshot[Symbol.dispose]();
    throw error;
  }
}

/**
 * Makes a VM what another one was when it was saved: its containers go on. Its clock is set, and its random numbers are its own.
 * Whatever fails, nothing is left.
 *
 * @param snapshot of openSnapshot
 * @throws KataError KATA_SNAPSHOT, KATA_PROXY, KATA_AGENT
 */
export async function restoreSandbox(
  snapshot: OpenSnapshot,
  config: RestoreConfig,
  ports: Ports<"hypervisor" | "network" | "connectAgent">,
): Promise<LiveSandbox> {
  await using undo = new UndoStack();
  const { hypervisor, connectAgent, trace } = ports;
  const { id, namespace, resolvConf, names, onProcess, owner, cgroup, signal } = config;
  const { memoryStays = false, held = false } = config;
  const { memory, state, growth, exports } = snapshot.manifest.vm;
  using copied = await RestoredDisks.copy(snapshot, randomBytes(6).toString("hex"), signal);
  const memoryPath = memoryStays ? join(snapshot.name, memory) : snapshot.pathOf(memory);
  const guest = { path: snapshot.name, memory: memoryPath, state: snapshot.pathOf(state) };
  const vm = await hypervisor.boot({
    sandboxId: id,
    networkNamespace: namespace?.path,
    ...(namespace === undefined || resolvConf === undefined ? {} : { resolvConf }),
    onProcess,
    owner,
    cgroup,
    signal,
    onStep: (step) => trace?.(step, id),
    restore: {
      ...{ guest, memoryStays, growth, connectAgent },
      disks: copied.disks.map((disk) => renamed(disk, names)),
      exports: exports?.map((each) => ({ ...each, user: renamedUser(each.user, names) })),
    },
  });
  undo.push(() => vm.stop());
  using _interruption = endOnAbort(signal, vm);
  await config.onBoot?.(vm.state);
  const agent = connectAgent(vm.state.agentUrl);
  undo.push(() => {
    agent.close();
  });
  for (const [from, to] of names ?? []) await renameContainer(agent, from, to);
  const containers = snapshot.manifest.containers.map(({ id: saved }) => names?.get(saved) ?? saved);
  if (held) for (const each of containers) await hold(agent, each);
  // What it was in the middle of saying, another guest goes on with, or none.
  const resets = withFallback<unknown>(agent.resetConnections({}), () => Promise.resolve());
  await wrapAgentError("end the connections of the earlier network", resets);
  // It was saved without a network card: those of its new namespace are plugged in as into any other VM.
  using network = namespace === undefined ? undefined : await ports.network.connect(vm, namespace);
  await network?.attach(vm, agent);
  await wrapAgentError("set the guest's clock", setClock(agent));
  if (!held) for (const each of containers) await letRun(agent, each);
  signal?.throwIfAborted(); // Its VM is ending.
  undo.keep();
  return liveSandbox(id, vm, agent);
}
