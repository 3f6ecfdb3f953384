import type { GuestProcess } from "@kata-ts/shim";
import { KataError } from "../errors.ts";
import type { Ports } from "../ports/ports.ts";
import type { LiveSandbox } from "../sandbox/live-sandbox.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import { goOnLater } from "../snapshot/go-on-later.ts";
import type { SavedContainer, SnapshotManifest } from "../snapshot/manifest.ts";
import { takeSnapshot } from "../snapshot/take-snapshot.ts";
import type { ContainerParts } from "./container-parts.ts";
import type { LimitOptions } from "./limit.ts";
import type { NetworkedOptions } from "./network-options.ts";
import { openGuestProcess } from "./open-guest-process.ts";
import { Process } from "./process.ts";
import { RunningContainer } from "./running-container.ts";
import type { VmOptions } from "./vm-options.ts";

export interface SnapshotOptions {
  /** Whether the sandbox goes on, as it does by default; else it ends once it is saved. */
  readonly leaveRunning?: boolean;
  /** Milliseconds for the copies of memory and disks, for which the sandbox stands still; 60 000 by default. */
  readonly deadlineMs?: number;
  /** Gives up: the sandbox goes on. */
  readonly signal?: AbortSignal;
}

/** A sandbox as it was saved, in a directory. */
export interface Snapshot {
  /** It holds the guest's memory, with all secrets in it: it is root's alone. */
  readonly directory: string;
  readonly created: Date;
  readonly sandboxId: string;
  /** The ids of its containers. */
  readonly containers: readonly string[];
}

/** The network is a new one, whatever the sandbox had: with `nat` its addresses stay, and its connections are reset. */
export interface RestoreOptions extends NetworkedOptions, LimitOptions {
  /** As for the sandbox that was saved: another machine is refused. */
  readonly vm: VmOptions;
  /** Another one than that of the sandbox that was saved. */
  readonly id?: string;
  /** As SandboxOptions.idleWarningMs. */
  readonly idleWarningMs?: number;
}

/** A sandbox that has ended, and can be gone on with by this program, as it was created. */
export interface SuspendedSandbox<T> extends Snapshot {
  /**
   * Goes on with it under its id, with its network and its published ports. The snapshot's files stay.
   *
   * @throws KataError KATA_SNAPSHOT, KATA_TIMEOUT; the reason of an aborted signal
   */
  resume(limits?: LimitOptions): Promise<T>;
}

const DEADLINE_MS = 60_000;

/** @throws KataError KATA_SNAPSHOT, KATA_UNSUPPORTED: the sandbox goes on */
export async function saveSandbox(
  directory: string,
  { id, vm, agent }: LiveSandbox,
  saved: Pick<SnapshotManifest, "containers" | "link">,
  { ports, options }: { readonly ports: Ports<"hypervisor" | "network">; readonly options: SnapshotOptions },
): Promise<Snapshot> {
  const { leaveRunning = true, deadlineMs = DEADLINE_MS, signal } = options;
  const { hypervisor, network } = ports;
  try {
    const manifest = await takeSnapshot(directory, {
      ...{ vm, agent, hypervisor, network, sandboxId: id, ...saved, leaveRunning, deadlineMs, signal },
    });
    return snapshotOf(directory, manifest);
  } catch (error) {
    void goOnLater(error, { vm, agent }, network, (message) => {
      process.emitWarning(message);
    });
    throw error;
  }
}

/** @throws KataError KATA_STATE for a container that waits to be started */
export function savedContainer(
  { id, process, user, hasDisks, limits }: ContainerParts,
  started: { has(id: string): boolean },
): SavedContainer {
  if (started.has(id)) return { id, process, user, hasDisks, status: "running", demand: limits.requestOf(id) };
  throw new KataError("KATA_STATE", `the sandbox cannot be saved: container ${id} is not started`, {
    hint: "start it first, or remove it",
  });
}

function snapshotOf(directory: string, { created, sandboxId, containers }: SnapshotManifest): Snapshot {
  return { directory, created: new Date(created), sandboxId, containers: containers.map(({ id }) => id) };
}

/** A container of a restored sandbox, with the streams of its first process. */
export async function reattach(parts: ContainerParts): Promise<RunningContainer> {
  const { id, agent } = parts;
  const { token } = await wrapAgentError(
    `open the streams of container ${id}`,
    agent.openStream({ container_id: id, exec_id: id }),
  );
  return runningAgain(parts, await openGuestProcess(parts, { execId: id, token }));
}

/** A container whose first process another program has started. */
export function runningAgain(parts: ContainerParts, guest: GuestProcess): RunningContainer {
  parts.onStarted(guest);
  const process = new Process(guest, {}, parts.onExit);
  void parts.idle.duringProcess(process.wait());
  return new RunningContainer(parts, process);
}
