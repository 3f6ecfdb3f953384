import { describe, expect, it } from "vitest";

describe("URL", () => {
  it.each([
    ["binary:///bin/logger", []],
    ["binary:///bin/logger?", []],
    ["binary:///bin/logger?a=1&b=&c", ["a=1", "b=", "c="]],
    ["binary:///bin/logger?a=1&a=2#end", ["a=1", "a=2"]],
    ["binary:///bin/logger?a+b=c%20d%2Be&&x==y", ["a b=c d+e", "x==y"]],
    ["binary:///bin/logger?caf%C3%A9=%e2%82%ac&half=%&bad=%ff", ["café=€", "half=%", "bad=\ufffd"]],
  ] as const)("%s has parameters", (text, expected) => {
    const { pathname, searchParams } = new URL(text);
    expect(pathname).toBe("/bin/logger");
    expect([...searchParams].map(([name, value]) => `${name}=${value}`)).toEqual(expected);
    expect(searchParams.size).toBe(expected.length);
  });

  it("gives parameters by their names", () => {
    const { searchParams } = new URL("http://host/?a=1&a=2&b");
    expect([searchParams.get("a"), searchParams.getAll("a"), searchParams.get("c")]).toEqual(["1", ["1", "2"], null]);
    expect([searchParams.has("b"), searchParams.has("c")]).toEqual([true, false]);
  });
});
