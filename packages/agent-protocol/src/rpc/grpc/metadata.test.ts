import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { escapeMessage, formatTimeout, parseTimeout, unescapeMessage } from "./metadata.ts";

describe("grpc-timeout", () => {
  it.each([
    ["5H", 18_000_000],
    ["1M", 60_000],
    ["2S", 2000],
    ["99999999m", 99_999_999],
    ["59999910u", 59_999.91],
    ["1000000n", 1],
  ])("%s is %d ms", (text, milliseconds) => {
    expect(parseTimeout(text)).toBeCloseTo(milliseconds, 6);
  });

  it("is not there for a call that may wait for ever", () => {
    expect(parseTimeout(undefined)).toBeUndefined();
  });

  it.each(["", "m", "5", "-5m", "123456789m", "5x", "5 m", "constructor"])("refuses %j", (text) => {
    expect(() => parseTimeout(text)).toThrow("malformed grpc-timeout");
  });

  it("is what was meant, with at most eight digits", () => {
    fc.assert(
      fc.property(fc.double({ min: -1000, max: 1e12, noNaN: true }), (milliseconds) => {
        const text = formatTimeout(milliseconds);
        expect(text).toMatch(/^[1-9]\d{0,7}[mS]$/);
        const wanted = Math.min(Math.max(1, milliseconds), 99_999_999_000);
        expect(Math.abs((parseTimeout(text) ?? 0) - wanted)).toBeLessThanOrEqual(text.endsWith("m") ? 1 : 1000);
      }),
    );
  });
});

describe("grpc-message", () => {
  it("is printable ASCII, and what it was after that", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 300 });
    fc.assert(
      fc.property(text, (words) => {
        const escaped = escapeMessage(words);
        expect(escaped).toMatch(/^[ -~]*$/);
        expect(unescapeMessage(escaped)).toBe(words);
      }),
    );
  });

  it("keeps its begin when it is too long, and no half of a character", () => {
    const escaped = escapeMessage("é".repeat(10_000));
    expect(escaped.length).toBeLessThanOrEqual(8192);
    expect(unescapeMessage(escaped)).toMatch(/^é{1365}$/);
  });

  it("stays as it is when it was not escaped", () => {
    expect(unescapeMessage("100 %")).toBe("100 %");
  });
});
