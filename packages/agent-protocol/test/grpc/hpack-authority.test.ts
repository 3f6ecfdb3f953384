import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { replaceAuthority } from "./hpack-authority.ts";

/** `:authority www.example.com`, Huffman-coded: RFC 7541, appendix C.4.1, and behind it `:method GET`. */
const RFC_EXAMPLE = "418cf1e3c2e5f23a6ba0ab90f4ff82";

describe("replaceAuthority", () => {
  it("keeps every length of a Huffman-coded block", () => {
    const block = Buffer.from(RFC_EXAMPLE, "hex");
    replaceAuthority(block);
    expect(block.toString("hex")).toMatch(/^418c[0-9a-f]{24}82$/);
    expect(block.toString("hex")).not.toBe(RFC_EXAMPLE);
  });

  it("replaces a plain value, and leaves other fields alone", () => {
    const plain = Buffer.concat([Buffer.from("4104", "hex"), Buffer.from("a/:b"), Buffer.from("440461626364", "hex")]);
    replaceAuthority(plain);
    expect(plain.toString("latin1")).toBe("A\x04aaaaD\x04abcd");
  });

  it("takes any bytes, or refuses them with a RangeError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        try {
          replaceAuthority(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
      { numRuns: 5000 },
    );
  });
});
