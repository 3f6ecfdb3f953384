import fc from "fast-check";
import { expect, it } from "vitest";

const RUNS = 10_000;
const SECONDS = Number(process.env.KATA_FUZZ_SECONDS ?? 0);
const SEED = process.env.KATA_FUZZ_SEED;
const TIMEOUT_MS = 120_000;

/**
 * A test that gives `check` ten thousand inputs; with KATA_FUZZ_SECONDS, as many as it can in that time. A failure says
 * the seed and the smallest input that fails; KATA_FUZZ_SEED repeats it.
 *
 * @param target its name for `pnpm fuzz`
 */
export function fuzz<T>(target: string, input: fc.Arbitrary<T>, check: (input: T) => void | Promise<void>): void {
  it(
    `${target}: any input`,
    async () => {
      await fc.assert(
        fc.asyncProperty(input, async (value) => check(value)),
        {
          ...(SECONDS > 0
            ? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: SECONDS * 1000 }
            : { numRuns: RUNS }),
          ...(SEED === undefined ? {} : { seed: Number(SEED) }),
        },
      );
    },
    TIMEOUT_MS + SECONDS * 1000,
  );
}

/** Runs a parser, which may refuse its input by errors of these codes, and by no other. */
export function throwsOnly(codes: readonly string[], parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    expect(codes, String((error as Error).stack)).toContain((error as { code?: string }).code);
  }
}
