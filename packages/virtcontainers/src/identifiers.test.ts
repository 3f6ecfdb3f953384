import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseContainerId } from "./identifiers.ts";

describe("parseContainerId", () => {
  it.each(["a", "A_1+b-c.d", "0", "a".repeat(255), "..a"])("takes %s", (text) => {
    expect(parseContainerId(text)).toBe(text);
  });

  it.each(["", ".", "..", "a/b", "../x", "a b", "ä", "a\n", "a\0", "a".repeat(256)])("refuses %j", (text) => {
    expect(() => parseContainerId(text)).toThrow(/invalid container id format/);
  });

  it("gives no id that leaves its directory", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          const id = parseContainerId(text);
          expect(id).not.toMatch(/[/\0]/);
          expect([".", ".."]).not.toContain(id);
        } catch (error) {
          expect(error).toMatchObject({ code: "KATA_ID_INVALID" });
        }
      }),
    );
  });
});
