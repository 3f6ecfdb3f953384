interface UserRange {
  readonly first: number;
  readonly last: number;
}

/** Below it are those of the host's own services and accounts, `nobody` among them. */
const LOWEST = 65_536;
/** The last one means none to the kernel. */
const HIGHEST = 2 ** 32 - 2;

/** Reads `FIRST-LAST`; undefined where it is none, has ids that no VM may have, or too few for one. */
export function userRangeOf(text: string): UserRange | undefined {
  const [, first, last] = (/^(\d{1,10})-(\d{1,10})$/.exec(text) ?? []).map(Number);
  if (first === undefined || last === undefined) return undefined;
  return first >= LOWEST && last <= HIGHEST && first < last ? { first, last } : undefined;
}
