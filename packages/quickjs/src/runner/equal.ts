import { Pattern } from "./patterns.ts";

type Fields = Readonly<Record<string, unknown>>;

/** As vitest's toEqual: by structure, and a property that is undefined counts as absent. */
export function isEqual(actual: unknown, expected: unknown): boolean {
  if (expected instanceof Pattern) return expected.matches(actual);
  if (Object.is(actual, expected)) return true;
  if (typeof actual !== "object" || typeof expected !== "object" || actual === null || expected === null) return false;
  if (expected instanceof Error) {
    return actual instanceof Error && actual.message === expected.message && actual.name === expected.name;
  }
  if (expected instanceof Date) return actual instanceof Date && actual.getTime() === expected.getTime();
  if (expected instanceof RegExp) return actual instanceof RegExp && String(actual) === String(expected);
  if (ArrayBuffer.isView(expected)) return ArrayBuffer.isView(actual) && sameBytes(actual, expected);
  if (expected instanceof Map) return actual instanceof Map && isEqual([...actual], [...expected]);
  if (expected instanceof Set) return actual instanceof Set && isEqual([...actual], [...expected]);
  if (Array.isArray(expected) !== Array.isArray(actual)) return false;
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length !== actual.length) return false;
  const names = new Set([...Object.keys(actual), ...Object.keys(expected)]);
  return [...names].every((name) => isEqual((actual as Fields)[name], (expected as Fields)[name]));
}

/** As toMatchObject: what is expected is there, at any depth; arrays have the same length. */
export function matchesObject(actual: unknown, expected: unknown): boolean {
  if (expected instanceof Pattern || typeof expected !== "object" || expected === null)
    return isEqual(actual, expected);
  if (typeof actual !== "object" || actual === null || ArrayBuffer.isView(expected)) return isEqual(actual, expected);
  if (Array.isArray(expected) && (!Array.isArray(actual) || actual.length !== expected.length)) return false;
  return Object.entries(expected).every(([name, value]) => matchesObject((actual as Fields)[name], value));
}

function sameBytes(a: ArrayBufferView, b: ArrayBufferView): boolean {
  const [left, right] = [a, b].map((view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  return left?.length === right?.length && left?.every((byte, index) => byte === right?.[index]) === true;
}
