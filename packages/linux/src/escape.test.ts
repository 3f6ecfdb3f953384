import { describe, expect, it } from "vitest";
import { escapeControls } from "./escape.ts";

describe("escapeControls", () => {
  it("makes control characters harmless, and leaves line ends", () => {
    expect(escapeControls("a\x1b[31mred\x07\r\nb\u009b")).toBe("a\\x1b[31mred\\x07\nb\\x9b");
  });

  it.each([
    ["\u202e", "turns the text around"],
    ["\u2066", "isolates a direction"],
    ["\u200b", "has no width"],
    ["\u2028", "separates lines"],
    ["\u2029", "separates paragraphs"],
    ["\u{e0041}", "is an invisible tag"],
    ["\ud800", "is half a pair"],
  ])("shows the number of what steers the eye: %j %s", (character) => {
    const code = character.codePointAt(0) ?? 0;
    expect(escapeControls(`a${character}b`)).toBe(`a\\u{${code.toString(16)}}b`);
  });

  it("leaves letters of all scripts, marks and pictures", () => {
    const text = "üñí עברית 漢字 e\u0301 😀";
    expect(escapeControls(text)).toBe(text);
  });
});
