import { KataError } from "../errors.ts";
import type { ContainerId } from "../identifiers.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { ContainerRecord, Store } from "../ports/store.ts";

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
  async update(id: ContainerId, change: (record: ContainerRecord) => ContainerRecord): Promise<ContainerRecord> {
    const before = this.#find(id);
    const after = { ...change(before), generation: before.generation + 1 };
    this.#records.set(id, after);
    return after;
  }

  async remove(id: ContainerId): Promise<void> {
    this.#records.delete(id);
  }

  async list(): Promise<ContainerId[]> {
    return ([...this.#records.keys()] as ContainerId[]).sort();
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
