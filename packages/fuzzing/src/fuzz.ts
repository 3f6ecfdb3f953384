import { threadCpuUsage } from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, it } from "vitest";

const RUNS = 10_000;
const SECONDS = Number(process.env.KATA_FUZZ_SECONDS ?? 0);
const SEED = process.env.KATA_FUZZ_SEED;
const TIMEOUT_MS = 120_000;
/** What one input of a few hundred bytes may take of the processor: Node's own collection of garbage is in it. */
const TURN_LIMIT_MS = 150;
/** What all inputs together may leave behind. */
const GROWTH_LIMIT = 32 * 1024 * 1024;

/**
 * A test that gives `check` ten thousand inputs; with KATA_FUZZ_SECONDS, as many as it can in that time. A failure says
 * the seed and the smallest input that fails; KATA_FUZZ_SEED repeats it. An input that takes long, and inputs that leave memory
 * behind, fail, too.
 *
 * @param target its name for `pnpm fuzz`
 */
export function fuzz<T>(target: string, input: fc.Arbitrary<T>, check: (input: T) => void | Promise<void>): void {
  it(
    `${target}: any input`,
    async () => {
      const before = held();
      await fc.assert(
        fc.asyncProperty(input, async (value) => inOneTurn(() => check(value))),
        {
          ...(SECONDS > 0
            ? { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: SECONDS * 1000 }
            : { numRuns: RUNS }),
          ...(SEED === undefined ? {} : { seed: Number(SEED) }),
        },
      );
      expect(held() - before, "bytes of growth").toBeLessThan(GROWTH_LIMIT);
    },
    TIMEOUT_MS + SECONDS * 1000,
  );
}

/** Memory in use, without what is garbage. */
function held(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function inOneTurn(body: () => void | Promise<void>): Promise<void> {
  const before = threadCpuUsage();
  await body();
  const { user, system } = threadCpuUsage(before);
  expect((user + system) / 1000, "milliseconds of the processor").toBeLessThan(TURN_LIMIT_MS);
}

/** Runs a parser, which may refuse its input by errors of these codes, and by no other. */
export function throwsOnly(codes: readonly string[], parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    const { code, stack } = error as Error & { readonly code?: string };
    // A stack takes longer to write than most parsers take, and is for a failure only.
    if (code === undefined || !codes.includes(code)) expect(codes, String(stack)).toContain(code);
  }
}
