const DAY_MS = 86_400_000;
const ASKED: string | undefined = process.env.KATA_TEST_ROTATION;
const TURN: number = ASKED === undefined ? Math.floor(Date.now() / DAY_MS) : Number(ASKED);

/** Whether this run takes all the cases: `KATA_TEST_ROTATION=all`, as the soak and the fault tests have it. */
const WHOLE: boolean = ASKED === "all";

/**
 * One of `shares` equal parts of the cases: another one each day, so that all have their turn in as many days.
 * `KATA_TEST_ROTATION` is the number of the day to be repeated, or "all".
 */
export function rotated<T>(cases: readonly T[], shares: number): T[] {
  return WHOLE ? [...cases] : cases.filter((_, index) => (index + TURN) % shares === 0);
}
