const DAY_MS = 86_400_000;
const ASKED: string | undefined = process.env.KATA_TEST_ROTATION;
const TURN: number = ASKED === undefined ? Math.floor(Date.now() / DAY_MS) : Number(ASKED);

/** Whether this run takes all the cases: `KATA_TEST_ROTATION=all`, as the soak and the fault tests have it. */
const WHOLE: boolean = ASKED === "all";

/**
 * One of `shares` equal parts of the cases: another one each day, so that all have their turn in as many days.
 * `KATA_TEST_ROTATION` is the number of the day to be repeated, or "all".
 *
 * @param ahead the part of the day that comes so many days later
 */
export function rotated<T>(cases: readonly T[], shares: number, ahead = 0): T[] {
  return WHOLE ? [...cases] : cases.filter((_, index) => (index + TURN + ahead) % shares === 0);
}

/** All of them, each day another one first. */
export function fromToday<T>(cases: readonly T[]): T[] {
  const first = WHOLE ? 0 : TURN % Math.max(1, cases.length);
  return [...cases.slice(first), ...cases.slice(0, first)];
}
