import { KataError } from "../errors.ts";
import type { ContainerId } from "../identifiers.ts";
import type { ContainerRecord, Store } from "../ports/store.ts";

/** Records that end with this process: for embedded use and for tests. */
export class MemoryStore implements Store {
  readonly #records = new Map<string, ContainerRecord>();

  claim(record: ContainerRecord): Promise<void> {
    if (this.#records.has(record.id)) {
      return Promise.reject(new KataError("KATA_ID_IN_USE", `container with id exists: ${record.id}`));
    }
    this.#records.set(record.id, record);
    return Promise.resolve();
  }

  read(id: ContainerId): Promise<ContainerRecord> {
    const record = this.#records.get(id);
    if (record !== undefined) return Promise.resolve(record);
    return Promise.reject(new KataError("KATA_NOT_FOUND", `container does not exist: ${id}`));
  }

  async update(id: ContainerId, change: (record: ContainerRecord) => ContainerRecord): Promise<ContainerRecord> {
    const before = await this.read(id);
    const after = { ...change(before), generation: before.generation + 1 };
    this.#records.set(id, after);
    return after;
  }

  remove(id: ContainerId): Promise<void> {
    this.#records.delete(id);
    return Promise.resolve();
  }

  list(): Promise<ContainerId[]> {
    return Promise.resolve(([...this.#records.keys()] as ContainerId[]).sort());
  }
}
