/** How ids inside of a user namespace are ids outside. */
export interface IdRange {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** What the kernel shows where an id has no place. */
const NOBODY = 65_534;

/** Ids of users, or of groups, on both sides of a user namespace. */
export class IdMap {
  readonly #ranges: readonly IdRange[];

  constructor(ranges: readonly IdRange[] = [{ inside: 0, outside: 0, count: 2 ** 32 }]) {
    this.#ranges = ranges;
  }

  /** @param text of /proc/PID/uid_map or gid_map */
  static parse(text: string): IdMap {
    const lines = text.split("\n").map((line) => line.trim().split(/\s+/).map(Number));
    return new IdMap(
      lines.flatMap(([inside, outside, count]) =>
        inside === undefined || outside === undefined || count === undefined ? [] : [{ inside, outside, count }],
      ),
    );
  }

  /** @throws RangeError for an id that has no place outside */
  outsideOf(id: number): number {
    const range = this.#ranges.find(({ inside, count }) => id >= inside && id < inside + count);
    if (range === undefined) throw new RangeError(`the id ${String(id)} is not mapped into the user namespace`);
    return range.outside + id - range.inside;
  }

  insideOf(id: number): number {
    const range = this.#ranges.find(({ outside, count }) => id >= outside && id < outside + count);
    return range === undefined ? NOBODY : range.inside + id - range.outside;
  }
}
