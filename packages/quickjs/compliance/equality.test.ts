import { isDeepStrictEqual } from "node:util";
import { describe, expect, it } from "vitest";

class Own {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

const bare = (value: object): object => Object.assign(Object.create(null) as object, value);
const hidden: unique symbol = Symbol("hidden");

describe("isDeepStrictEqual", () => {
  it.each([
    ["numbers", 1, 1, true],
    ["NaN", Number.NaN, Number.NaN, true],
    ["zeros", 0, -0, false],
    ["a number and its text", 1, "1", false],
    ["nothing and nothing else", null, undefined, false],
    ["objects, in any order", { a: 1, b: { c: [1, 2] } }, { b: { c: [1, 2] }, a: 1 }, true],
    ["objects that differ deep inside", { b: { c: [1, 2] } }, { b: { c: [1, 3] } }, false],
    ["what is undefined, and what is not there", { a: undefined }, {}, false],
    ["objects with and without a prototype", { a: 1 }, bare({ a: 1 }), false],
    ["objects of a class", new Own(1), new Own(1), true],
    ["objects of a class, and plain ones", new Own(1), { value: 1 }, false],
    ["symbols' properties", { [hidden]: 1 }, { [hidden]: 2 }, false],
    ["lists", [1, [2]], [1, [2]], true],
    ["lists of other lengths", [1], [1, undefined], false],
    ["lists and what looks like them", [1], { 0: 1, length: 1 }, false],
    ["dates", new Date(5), new Date(5), true],
    ["other dates", new Date(5), new Date(6), false],
    ["patterns", /a/g, /a/g, true],
    ["patterns with other flags", /a/g, /a/i, false],
    ["bytes", Buffer.from("ab"), Buffer.from("ab"), true],
    ["other bytes", Buffer.from("ab"), Buffer.from("ac"), false],
    ["maps", new Map([["a", { b: 1 }]]), new Map([["a", { b: 1 }]]), true],
    ["other maps", new Map([["a", 1]]), new Map([["a", 2]]), false],
    ["sets of objects", new Set([{ a: 1 }]), new Set([{ a: 1 }]), true],
    ["other sets", new Set([1, 2]), new Set([1, 3]), false],
    ["errors", new Error("a"), new Error("a"), true],
    ["other errors", new Error("a"), new Error("b"), false],
  ] as const)("says of %s", (_what, left: unknown, right: unknown, expected) => {
    expect([isDeepStrictEqual(left, right), isDeepStrictEqual(right, left)]).toEqual([expected, expected]);
  });
});
