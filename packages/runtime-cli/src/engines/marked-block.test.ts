import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasBlock, withBlock, withoutBlock } from "./marked-block.ts";

describe("a block of ours in another's file", () => {
  it("comes and goes without a change to the rest", () => {
    const file = fc.stringMatching(/^[a-z#=" \n]*$/);
    fc.assert(
      fc.property(file, fc.stringMatching(/^[a-z]+( = \d)?$/), (text, content) => {
        const written = withBlock(text, content);
        expect(hasBlock(text)).toBe(false);
        expect(hasBlock(written)).toBe(true);
        expect(written.startsWith(text)).toBe(true);
        expect(withoutBlock(written)).toBe(text);
        expect(withoutBlock(withBlock(written, "again"))).toBe(text);
      }),
    );
  });

  it("is there once, and lets others write behind it", () => {
    const twice = withBlock(withBlock("before\n", "old"), "new");
    expect(twice).toContain("\nnew\n");
    expect(twice).not.toContain("old");
    expect(withoutBlock(`${withBlock("before\n", "ours")}[behind]\n`)).toBe("before\n[behind]\n");
  });

  it("is none where its end is missing", () => {
    const cut = withBlock("before\n", "ours").slice(0, -4);
    expect(withoutBlock(cut)).toBe(cut);
  });
});
