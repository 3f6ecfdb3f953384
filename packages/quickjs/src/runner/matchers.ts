import { inspect } from "../node/inspect.ts";
import { isEqual, matchesObject } from "./equal.ts";

type Matcher = (actual: never, ...expected: never[]) => boolean;

/** Vitest's, by name: those that the tests of this project use. */
export const MATCHERS = {
  toBe: (actual: unknown, expected: unknown) => Object.is(actual, expected),
  toEqual: isEqual,
  toStrictEqual: isEqual,
  toMatchObject: matchesObject,
  toBeUndefined: (actual: unknown) => actual === undefined,
  toBeDefined: (actual: unknown) => actual !== undefined,
  toBeNull: (actual: unknown) => actual === null,
  toBeTypeOf: (actual: unknown, type: string) => typeof actual === type,
  toBeInstanceOf: (actual: unknown, made: new () => unknown) => actual instanceof made,
  toHaveLength: (actual: { readonly length: number }, length: number) => actual.length === length,
  toHaveProperty: (actual: object, name: string) => name in actual,
  toBeLessThan: (actual: number, limit: number) => actual < limit,
  toBeLessThanOrEqual: (actual: number, limit: number) => actual <= limit,
  toBeGreaterThan: (actual: number, limit: number) => actual > limit,
  toBeGreaterThanOrEqual: (actual: number, limit: number) => actual >= limit,
  toBeCloseTo: (actual: number, expected: number, digits = 2) => Math.abs(actual - expected) < 10 ** -digits / 2,
  toMatch: (actual: string, expected: string | RegExp) =>
    typeof expected === "string" ? actual.includes(expected) : expected.test(actual),
  toContain: (actual: string | readonly unknown[], expected: never) => actual.includes(expected),
  toContainEqual: (actual: readonly unknown[], expected: unknown) => actual.some((each) => isEqual(each, expected)),
} as const satisfies Readonly<Record<string, Matcher>>;

/** Throws what a test fails with. */
export function assertMatch(name: string, actual: unknown, expected: readonly unknown[], negated: boolean): void {
  const matcher = MATCHERS[name as keyof typeof MATCHERS] as (...args: unknown[]) => boolean;
  if (matcher(actual, ...expected) !== negated) return;
  const wanted = expected.map((each) => inspect(each)).join(", ");
  throw new Error(`expected ${inspect(actual)} ${negated ? "not " : ""}${name}(${wanted})`);
}

/** @param error undefined where nothing was thrown */
export function assertThrown(thrown: boolean, error: unknown, expected: unknown, negated: boolean): void {
  const matches = thrown && isExpected(error, expected);
  if (matches !== negated) return;
  const was = thrown ? `${inspect(error)} was thrown` : "nothing was thrown";
  throw new Error(`expected ${negated ? "no " : ""}error ${inspect(expected)}, and ${was}`);
}

function isExpected(error: unknown, expected: unknown): boolean {
  if (expected === undefined) return true;
  const { message = String(error) } = error as Partial<Error>;
  if (typeof expected === "string") return message.includes(expected);
  if (expected instanceof RegExp) return expected.test(message);
  if (typeof expected === "function") return error instanceof (expected as new () => unknown);
  return expected instanceof Error ? message === expected.message : matchesObject(error, expected);
}
