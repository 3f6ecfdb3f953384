import { chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomUuid } from "@kata-ts/linux";
import { KataError } from "../errors.ts";
import { type ContainerId, parseContainerId } from "../identifiers.ts";
import type { Ports } from "../ports/ports.ts";
import { openSnapshot } from "../sandbox/restore.ts";
import type { OpenSnapshot } from "../snapshot/open-snapshot.ts";
import { isSince } from "../vmm-qemu/qemu-version.ts";
import type { CopyOptions, ForkOptions } from "./fork-options.ts";
import { ForkPlace } from "./fork-place.ts";
import { takeBack } from "./limit.ts";
import type { NetworkedOptions } from "./network-options.ts";
import { checkOptions } from "./process-shape.ts";
import type { Snapshot, SnapshotOptions } from "./snapshot.ts";
import { networkOfCopiesShape } from "./snapshot-shape.ts";

/** The sandbox that is copied. */
export interface Forked<T extends AsyncDisposable> {
  readonly options: NetworkedOptions;
  readonly ports: Ports;
  save(directory: string, options: SnapshotOptions): Promise<Snapshot>;
  copy(snapshot: OpenSnapshot, options: CopyOptions): Promise<T>;
}

/** QEMU can map memory from a file that it only reads, and write to it, since this release. */
const MAPS_SINCE = [8, 2] as const;

/**
 * @returns the copies, all of which run; on failure none is left, and the sandbox goes on
 * @throws KataError KATA_CONFIG, KATA_UNSUPPORTED before it stands still; the reason of an aborted signal
 */
export async function fork<T extends AsyncDisposable>(
  count: number,
  { ids = [], directory = tmpdir(), deadlineMs, signal, ports, egress }: ForkOptions,
  forked: Forked<T>,
): Promise<T[]> {
  const names = namesOf(count, ids);
  const network = { ...(ports === undefined ? {} : { ports }), ...(egress === undefined ? {} : { egress }) };
  requireOwnNetworks(forked.options, network);
  await using place = await ForkPlace.make(directory);
  await forked.save(place.path, { ...(deadlineMs === undefined ? {} : { deadlineMs }), ...(signal && { signal }) });
  using snapshot = await openSnapshot(place.path, forked.ports, signal);
  const { fingerprint, vm } = snapshot.manifest;
  // A daemon that serves files writes to the memory of its guest: that is one file for both.
  const memoryStays = vm.exports === undefined && isSince(fingerprint.QEMU ?? "", MAPS_SINCE);
  // Every QEMU is a user of its own; the directory is root's alone.
  if (memoryStays) await chmod(join(place.path, vm.memory), 0o444);
  const options = { ...networkOfCopies(forked.options), ...network, memoryStays };
  return await allOrNone(names, signal, (id, limit) => forked.copy(snapshot, { ...options, id, signal: limit }));
}

/** Makes all at once. The first failure ends the others, and is thrown when nothing is left of them. */
async function allOrNone<T extends AsyncDisposable>(
  ids: readonly ContainerId[],
  signal: AbortSignal | undefined,
  make: (id: ContainerId, limit: AbortSignal) => Promise<T>,
): Promise<T[]> {
  const failure = new AbortController();
  const limit = signal === undefined ? failure.signal : AbortSignal.any([failure.signal, signal]);
  const making = ids.map(async (id) => {
    try {
      return await make(id, limit);
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  });
  const made = await Promise.allSettled(making);
  const copies = made.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  if (!failure.signal.aborted) return copies;
  await Promise.all(copies.map((copy) => takeBack("a copy of a sandbox", copy)));
  signal?.throwIfAborted();
  throw failure.signal.reason;
}

/** @throws KataError KATA_CONFIG for ids that are none, too many, or given twice */
function namesOf(count: number, ids: readonly string[]): ContainerId[] {
  if (ids.length > count) {
    throw new KataError("KATA_CONFIG", `fork has ${String(ids.length)} ids for ${String(count)} copies`);
  }
  const names = Array.from({ length: count }, (_, index) => parseContainerId(ids[index] ?? randomUuid()));
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new KataError("KATA_CONFIG", `fork.ids has ${twice} twice`);
  return names;
}

/** @throws KataError KATA_CONFIG for options of a network that copies do not have; KATA_UNSUPPORTED for one that they would share */
function requireOwnNetworks(
  { network = "none" }: NetworkedOptions,
  own: Pick<NetworkedOptions, "ports" | "egress">,
): void {
  if (typeof network === "object") {
    throw new KataError("KATA_UNSUPPORTED", `the network namespace ${network.namespace} is one sandbox's`, {
      hint: 'copies can be made of a sandbox with the network "nat", or with none',
    });
  }
  checkOptions(networkOfCopiesShape, { network, ...own }, "fork");
}

/** A port of the host is one sandbox's: copies have others, which are free. */
function networkOfCopies({ ports, ...others }: NetworkedOptions): NetworkedOptions {
  return ports === undefined ? others : { ...others, ports: ports.map((port) => ({ ...port, host: 0 })) };
}
