import { KataError } from "../errors.ts";
import type { ContainerId } from "../identifiers.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { ContainerRecord, Store } from "../ports/store.ts";
import { isIncarnation, isUnchanged, type Known, requireIncarnation } from "./incarnation.ts";

/** Records that end with this process: for embedded use and for tests. */
export class MemoryStore implements Store {
  readonly #records: Map<string, ContainerRecord> = new Map();

  async claim(record: ContainerRecord): Promise<void> {
    if (this.#records.has(record.id)) throw new KataError("KATA_ID_IN_USE", `container with id exists: ${record.id}`);
    this.#records.set(record.id, record);
  }

  async read(id: ContainerId): Promise<ContainerRecord> {
    return this.#find(id);
  }

  // Nothing is awaited between reading and writing: that is the lock.
  async update(
    id: ContainerId,
    change: (record: ContainerRecord) => ContainerRecord,
    incarnation?: string,
  ): Promise<ContainerRecord> {
    const before = this.#find(id);
    requireIncarnation(before, incarnation);
    const after = { ...change(before), generation: before.generation + 1 };
    this.#records.set(id, after);
    return after;
  }

  async remove(id: ContainerId, known: Known = {}): Promise<boolean> {
    const record = this.#records.get(id);
    if (record === undefined || !isIncarnation(record, known.incarnation)) return true;
    return isUnchanged(record, known) && this.#records.delete(id);
  }

  async list(): Promise<ContainerId[]> {
    return ([...this.#records.keys()] as ContainerId[]).sort();
  }

  async sweep(): Promise<void> {
    return undefined;
  }

  locationOf(id: ContainerId): string {
    return `memory:${id}`;
  }

  async vmAt(location: string): Promise<VmState | undefined> {
    return this.#records.get(location.slice("memory:".length))?.vm;
  }

  #find(id: ContainerId): ContainerRecord {
    const record = this.#records.get(id);
    if (record === undefined) throw new KataError("KATA_NOT_FOUND", `container does not exist: ${id}`);
    return record;
  }
}
