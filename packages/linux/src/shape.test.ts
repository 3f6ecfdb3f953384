import { describe, expect, it } from "vitest";
import {
  anyObject,
  anyObjectAs,
  count,
  flag,
  listOf,
  mapOf,
  nullable,
  object,
  oneOf,
  optional,
  parseShape,
  positive,
  quantity,
  text,
  variants,
} from "./shape.ts";

describe("shapes", () => {
  it.each([
    { shape: text, taken: ["", "a"], refused: [1, null, undefined, ["a"]] },
    { shape: flag, taken: [true, false], refused: [0, "true", null] },
    { shape: quantity, taken: [0, -1.5], refused: ["1", null, {}, JSON.parse("1e999")] },
    { shape: count, taken: [0, 7], refused: [-1, 0.5, 2 ** 53, "0"] },
    { shape: positive, taken: [1], refused: [0, -1, 1.5, null] },
    { shape: oneOf<string | number>("a", 1), taken: ["a", 1], refused: ["b", "1", null] },
    { shape: optional(text), taken: [undefined, "a"], refused: [null, 1] },
    { shape: anyObject, taken: [{}, { a: 1 }], refused: [[], null, "a"] },
    { shape: anyObjectAs<Date>(), taken: [{}], refused: [[], null, "a"] },
    { shape: nullable(text), taken: [null, "a"], refused: [undefined, 1] },
    { shape: listOf(text), taken: [[], ["a"]], refused: [{}, ["a", 1], [null], { length: 0 }] },
    { shape: mapOf(text), taken: [{}, { a: "b" }], refused: [[], { a: 1 }, { a: "b", c: null }, null] },
  ])("take what they name, as it is, and refuse the rest: %#", ({ shape, taken, refused }) => {
    for (const value of taken) expect(shape(value, "it")).toBe(value);
    for (const value of refused) expect(() => shape(value, "it")).toThrow(TypeError);
  });

  it("choose a variant by its tag", () => {
    type Answer = { ok: true; pid: number } | { ok: false; why: string };
    const shape = variants<"ok", Answer>(
      "ok",
      [true, object<Extract<Answer, { ok: true }>>({ ok: oneOf(true), pid: positive })],
      [false, object<Extract<Answer, { ok: false }>>({ ok: oneOf(false), why: text })],
    );
    expect(shape({ ok: true, pid: 1 }, "it")).toEqual({ ok: true, pid: 1 });
    expect(() => shape({ ok: true, why: "" }, "it")).toThrow("it.pid is not a whole number from 1");
    expect(() => shape({ ok: 1 }, "it")).toThrow("it.ok is not one of true, false");
    expect(() => shape(null, "it")).toThrow("it is not an object");
  });

  it("check parsed JSON", () => {
    expect(parseShape(listOf(count), "[1]", "it")).toEqual([1]);
    expect(() => parseShape(listOf(count), '["1"]', "it")).toThrow("it[0] is not a whole number from 0");
    expect(() => parseShape(listOf(count), "[1", "it")).toThrow(SyntaxError);
  });

  it("say where a value is something else, and keep what they do not know", () => {
    const shape = object<{ a: { b: readonly number[] }; c?: string }>({
      a: object<{ b: readonly number[] }>({ b: listOf(count) }),
      c: optional(text),
    });
    const whole = { a: { b: [1, 2] }, later: true };
    expect(shape(whole, "it")).toEqual(whole);
    expect(() => shape({ a: { b: [1, -2] } }, "it")).toThrow("it.a.b[1] is not a whole number from 0");
    expect(() => shape({ ...whole, c: 1 }, "it")).toThrow("it.c is not text");
    expect(() => shape({}, "it")).toThrow("it.a is not an object");
  });
});
