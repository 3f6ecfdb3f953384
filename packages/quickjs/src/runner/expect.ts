import { setTimeout as delay } from "../node/timers-promises.ts";
import { isEqual, matchesObject } from "./equal.ts";
import { assertMatch, assertThrown, MATCHERS } from "./matchers.ts";
import { Containing, Matching, OfClass, type Pattern, WithFields } from "./patterns.ts";

const POLL_MS = 1_000;
const POLL_INTERVAL_MS = 20;

type Assertion = Record<string, (...expected: unknown[]) => unknown>;
/** Gives the value that is looked at, or a promise of it. */
type Check = (body: (actual: unknown, thrown: boolean) => void) => unknown;

function assertion(check: Check, negated: boolean): Assertion {
  const made: Assertion = {};
  for (const name of Object.keys(MATCHERS)) {
    made[name] = (...expected) =>
      check((actual) => {
        assertMatch(name, actual, expected, negated);
      });
  }
  made.toThrow = made.toThrowError = (expected) =>
    check((actual, thrown) => {
      if (thrown || typeof actual !== "function") {
        assertThrown(thrown, actual, expected, negated);
        return;
      }
      const [isThrown, error] = outcomeOf(actual as () => unknown);
      assertThrown(isThrown, error, expected, negated);
    });
  return made;
}

function outcomeOf(body: () => unknown): readonly [boolean, unknown] {
  try {
    body();
    return [false, undefined];
  } catch (error) {
    return [true, error];
  }
}

function withNot(check: Check): Assertion {
  return Object.assign(assertion(check, false), { not: assertion(check, true) });
}

function expectValue(actual: unknown): Assertion {
  const now: Check = (body) => {
    body(actual, false);
  };
  const resolved: Check = async (body) => {
    body(await actual, false);
  };
  const rejected: Check = async (body) => {
    let value: unknown;
    try {
      value = await (typeof actual === "function" ? (actual as () => unknown)() : actual);
    } catch (error) {
      body(error, true);
      return;
    }
    throw new Error(`expected a rejection, and it resolved with ${String(value)}`);
  };
  return Object.assign(withNot(now), { resolves: withNot(resolved), rejects: withNot(rejected) });
}

/** Looks again until it is so, or the time is over. */
function poll(body: () => unknown, { timeout = POLL_MS }: { readonly timeout?: number } = {}): Assertion {
  const check: Check = async (look) => {
    for (const end = performance.now() + timeout; ; ) {
      try {
        look(await body(), false);
        return;
      } catch (error) {
        if (performance.now() > end) throw error;
        await delay(POLL_INTERVAL_MS);
      }
    }
  };
  return withNot(check);
}

interface Expect {
  (actual: unknown): Assertion;
  poll: typeof poll;
  stringContaining(text: string): Pattern;
  stringMatching(expression: RegExp | string): Pattern;
  objectContaining(fields: object): Pattern;
  arrayContaining(elements: readonly unknown[]): Pattern;
  any(made: abstract new (...args: never[]) => unknown): Pattern;
  anything(): Pattern;
}

export const expect: Expect = Object.assign(expectValue, {
  poll,
  stringContaining: (text: string) => new Containing(text),
  stringMatching: (expression: RegExp | string) => new Matching(expression),
  objectContaining: (fields: object) => new WithFields((actual) => matchesObject(actual, fields)),
  arrayContaining: (elements: readonly unknown[]) =>
    new WithFields(
      (actual) => Array.isArray(actual) && elements.every((wanted) => actual.some((each) => isEqual(each, wanted))),
    ),
  any: (made: abstract new (...args: never[]) => unknown) => new OfClass(made),
  anything: () => new WithFields((actual) => actual !== null && actual !== undefined),
});
