import { randomBytes } from "node:crypto";
import { KataError, reasonOf } from "../errors.ts";
import type { Agent } from "../ports/agent.ts";
import type { Hypervisor, Vm } from "../ports/hypervisor.ts";
import { LeftStanding } from "../ports/left-standing.ts";
import type { Network } from "../ports/network.ts";
import { UndoStack } from "../undo.ts";
import { MANIFEST, type SavedContainer, SNAPSHOT_FORMAT, type SnapshotManifest } from "./manifest.ts";
import { SnapshotDirectory } from "./snapshot-directory.ts";

export interface SnapshotRequest {
  readonly vm: Vm;
  readonly agent: Agent;
  readonly hypervisor: Pick<Hypervisor, "fingerprint">;
  readonly network: Pick<Network, "withdraw">;
  readonly sandboxId: string;
  readonly containers: readonly SavedContainer[];
  /** SnapshotManifest.link. */
  readonly link?: SnapshotManifest["link"];
  /** The VM goes on when it is saved. */
  readonly leaveRunning: boolean;
  /** Milliseconds for the copies of memory and disks, for which the VM stands still. */
  readonly deadlineMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** What lets a VM go on whose snapshot cannot be finished. */
interface BackStep {
  /** What holds of the VM where this fails. */
  readonly otherwise: string;
  readonly run: () => Promise<void>;
}

/**
 * Saves a sandbox's VM to a directory: its memory, its devices and its disks, of one moment, in which it stands still. It has no network
 * cards then, and has them back when it goes on.
 *
 * @throws KataError KATA_SNAPSHOT, KATA_UNSUPPORTED, the signal's reason: an earlier snapshot in the directory is still there, and the VM
 *   goes on, unless the error says that it stands still or has no network any more
 */
export async function takeSnapshot(path: string, request: SnapshotRequest): Promise<SnapshotManifest> {
  const { vm, hypervisor, sandboxId, containers, link } = request;
  const fingerprint = await hypervisor.fingerprint(vm.state.accelerator);
  const suffix = randomBytes(6).toString("hex");
  await using finish = new UndoStack();
  const back: BackStep[] = [];
  try {
    return await new SnapshotDirectory(path).write(suffix, async () => {
      const saved = await saveWithoutCards(path, suffix, request, { back, finish });
      const created = new Date().toISOString();
      const known = { format: SNAPSHOT_FORMAT, created, sandboxId, vm: saved, fingerprint, containers } as const;
      return link === undefined ? known : { ...known, link };
    });
  } catch (error) {
    if (error instanceof LeftStanding) throw error; // It takes no cards, either.
    await letGoOn(path, request, back, error);
    request.signal?.throwIfAborted();
    throw error instanceof KataError ? error : notSaved(path, request, reasonOf(error), error);
  }
}

/** @param back is given what lets the VM go on, if the snapshot cannot be finished; @param finish is run in any case */
async function saveWithoutCards(
  path: string,
  suffix: string,
  request: SnapshotRequest,
  { back, finish }: { readonly back: BackStep[]; readonly finish: UndoStack },
): Promise<SnapshotManifest["vm"]> {
  const { vm, agent, network, leaveRunning } = request;
  const cards = await network.withdraw(vm, agent);
  finish.push(async () => {
    await cards[Symbol.asyncDispose]();
  });
  back.push({ otherwise: "it has no network any more", run: () => cards.giveBack() });
  const saved = await save(path, { suffix, leaveRunning }, request);
  if (leaveRunning) {
    await cards.giveBack();
    back.pop();
  } else back.push({ otherwise: "it stands still", run: () => vm.goOn() });
  return saved;
}

/** The last step first. @throws KataError where one fails: the others would be of no use to a VM that stands still */
async function letGoOn(
  path: string,
  { vm }: SnapshotRequest,
  steps: readonly BackStep[],
  error: unknown,
): Promise<void> {
  for (const { otherwise, run } of steps.toReversed()) {
    try {
      await run();
    } catch (cause) {
      const why = `${reasonOf(error)}; and ${otherwise}: ${reasonOf(cause)}`;
      throw new KataError("KATA_SNAPSHOT", `the VM in ${vm.state.dir} could not be saved to ${path}: ${why}`, {
        cause: error,
        hint: "it is of no use as it is: end it",
      });
    }
  }
}

function notSaved(path: string, { vm }: Pick<SnapshotRequest, "vm">, why: string, cause: unknown): KataError {
  return new KataError("KATA_SNAPSHOT", `the VM in ${vm.state.dir} could not be saved to ${path}: ${why}`, {
    cause,
    hint: `it goes on as before; ${MANIFEST} of an earlier snapshot stays`,
  });
}

async function save(
  path: string,
  options: { readonly suffix: string; readonly leaveRunning: boolean },
  { vm, deadlineMs, signal }: SnapshotRequest,
): Promise<SnapshotManifest["vm"]> {
  const deadline = AbortSignal.timeout(deadlineMs);
  const limit = signal === undefined ? deadline : AbortSignal.any([deadline, signal]);
  try {
    return await vm.save(path, { ...options, signal: limit });
  } catch (error) {
    if (error instanceof LeftStanding) throw error;
    signal?.throwIfAborted();
    if (error instanceof KataError) throw error;
    const why = deadline.aborted ? `it took longer than ${String(deadlineMs / 1000)} s` : reasonOf(error);
    throw notSaved(path, { vm }, why, error);
  }
}
