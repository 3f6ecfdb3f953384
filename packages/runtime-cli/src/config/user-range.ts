interface UserRange {
  readonly first: number;
  readonly last: number;
}

/** Below it are those of the host's own services and people, and nobody. */
const LOWEST = 65_536;
/** The last one means none to the kernel. */
const HIGHEST = 2 ** 32 - 2;

/** Reads `FIRST-LAST`; undefined where it is none, or has ids that no VM may have. */
export function userRangeOf(text: string): UserRange | undefined {
  const [, first, last] = (/^(\d{1,10})-(\d{1,10})$/.exec(text) ?? []).map(Number);
  if (first === undefined || last === undefined) return undefined;
  return first >= LOWEST && last <= HIGHEST && first <= last ? { first, last } : undefined;
}
