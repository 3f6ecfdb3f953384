import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorCode, Http2Error } from "../protocol.ts";
import { HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";
import { decodeHuffman } from "./huffman.ts";
import type { Field } from "./static-table.ts";

function refusal(...blocks: readonly string[]): unknown {
  const decoder = new HpackDecoder(4096);
  try {
    for (const block of blocks) decoder.decode(Buffer.from(block, "hex"));
  } catch (error) {
    return error;
  }
  return undefined;
}

/** A field that is 2 000 bytes long and goes into the table, as 62. */
const LONG = Buffer.concat([Buffer.from("40016b7fd10e", "hex"), Buffer.alloc(2000, "x")]).toString("hex");

describe("a header block", () => {
  it.each([
    ["that refers to no field", ["80"]],
    ["that refers beyond both tables", ["be"]],
    ["with an endless number", [`ff${"80".repeat(5)}01`]],
    ["with a number of many bytes", ["ff8080808001"]],
    ["that ends within a string", ["400a6375"]],
    ["that ends before a string", ["40"]],
    ["that wants a table above the default size", ["3fe21f"]],
    ["that changes the table's size three times", ["202020"]],
    ["that changes the table's size behind a field", ["8220"]],
    ["whose table was emptied, and that refers to it", ["400161016282", "2082", "be"]],
  ])("%s is a compression error", (_, blocks) => {
    expect(refusal(...blocks)).toMatchObject({ code: "KATA_HTTP2", reason: ErrorCode.Compression });
  });

  it("that refers to a long field again and again is refused by the size of what it means", () => {
    expect(refusal(LONG, "be")).toBeUndefined();
    expect(refusal(LONG, "bebebe")).toMatchObject({ reason: ErrorCode.EnhanceYourCalm });
  });

  it("may set the table's size to 4096 again after it was 0", () => {
    expect(refusal("203fe11f400161016282", "be")).toBeUndefined();
  });

  it("with a field larger than the table empties it", () => {
    const decoder = new HpackDecoder(64 * 1024);
    decoder.decode(Buffer.from("4001610162", "hex"));
    decoder.decode(Buffer.concat([Buffer.from("40016b7fa12700", "hex").subarray(0, 6), Buffer.alloc(5024 + 128, "x")]));
    expect(() => decoder.decode(Buffer.from("be", "hex"))).toThrow(Http2Error);
  });

  it("is, once encoded, decoded to the same fields", () => {
    const text = fc.string({ unit: "binary-ascii", maxLength: 300 });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 8 }), (fields: Field[]) => {
        const decoder = new HpackDecoder(64 * 1024);
        expect(decoder.decode(new HpackEncoder().encode(fields))).toEqual(fields);
      }),
    );
  });

  it("gives the table up when the peer's decoder has a smaller one, once", () => {
    const encoder = new HpackEncoder();
    encoder.giveUpTable();
    expect(encoder.encode([[":method", "GET"]]).toString("hex")).toBe("2082");
    expect(encoder.encode([[":method", "GET"]]).toString("hex")).toBe("82");
  });
});

/** A symbol, its code, and how many bits that has: one or more of each length from RFC 7541, appendix B. */
const CODES: readonly [number, number, number][] = [
  [0x30, 0x0, 5],
  [0x7a, 0x7b, 7],
  [0x58, 0xfc, 8],
  [0x3f, 0x3fc, 10],
  [0x7c, 0x7fc, 11],
  [0x3e, 0xffb, 12],
  [0x7e, 0x1ffd, 13],
  [0x7d, 0x3ffd, 14],
  [0x7b, 0x7ffe, 15],
  [0xd0, 0x7fff2, 19],
  [0xe2, 0xfffed, 20],
  [0xe6, 0x1fffe8, 21],
  [0xe9, 0x3fffeb, 22],
  [0xef, 0x7ffff4, 23],
  [0xed, 0xfffff5, 24],
  [0xeb, 0x1ffffef, 25],
  [0xff, 0x3ffffee, 26],
  [0xfe, 0x7fffff0, 27],
  [0x02, 0xfffffe2, 28],
  [0xf9, 0xffffffe, 28],
  [0x16, 0x3ffffffe, 30],
];

describe("a Huffman-coded string", () => {
  it.each(CODES)("has symbol %i for the code %i of %i bits", (symbol, code, bits) => {
    const padded = (BigInt(code) << BigInt(40 - bits)) | ((1n << BigInt(40 - bits)) - 1n);
    const bytes = Buffer.from(padded.toString(16).padStart(10, "0"), "hex").subarray(0, Math.ceil(bits / 8));
    expect([...decodeHuffman(bytes)]).toEqual([symbol]);
  });

  it.each([
    ["with more than seven bits of padding", "1fff"],
    ["padded with zeros", "18"],
    ["of padding alone, a whole byte", "ff"],
    ["with the end-of-string symbol", "fffffffc"],
    ["with no code at all", "ffffffff"],
  ])("%s is a compression error", (_, hex) => {
    expect(() => decodeHuffman(Buffer.from(hex, "hex"))).toThrow(Http2Error);
  });

  it("that is empty is an empty string", () => {
    expect(decodeHuffman(Buffer.alloc(0))).toHaveLength(0);
  });
});
