import type { Field } from "./static-table.ts";

/** What an entry counts beside its characters (RFC 7541, 4.1). */
const ENTRY_COST = 32;

/** The size of a field by HPACK's count. */
export function sizeOf([name, value]: Field): number {
  return name.length + value.length + ENTRY_COST;
}

/** The fields that the peer has sent before and refers to, newest first. What does not fit is forgotten. */
export class DynamicTable {
  readonly #fields: Field[] = [];
  #size = 0;
  #maxSize: number;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get length(): number {
    return this.#fields.length;
  }

  at(index: number): Field | undefined {
    return this.#fields[index];
  }

  add(field: Field): void {
    const size = sizeOf(field);
    this.#shrinkTo(this.#maxSize - size);
    if (size > this.#maxSize) return;
    this.#fields.unshift(field);
    this.#size += size;
  }

  resize(maxSize: number): void {
    this.#maxSize = maxSize;
    this.#shrinkTo(maxSize);
  }

  #shrinkTo(size: number): void {
    while (this.#size > size) {
      const oldest = this.#fields.pop();
      if (oldest === undefined) return;
      this.#size -= sizeOf(oldest);
    }
  }
}
