import { describe, expect, it } from "vitest";
import { BlockReader } from "./block-reader.ts";
import { HpackDecoder } from "./decoder.ts";
import { HpackEncoder } from "./encoder.ts";
import { encodeInteger } from "./integer.ts";
import type { Field } from "./static-table.ts";

/** "The dynamic table has 256 bytes", which C.5 and C.6 begin with. */
const TABLE_OF_256 = "3fe101";

const REQUESTS: readonly (readonly Field[])[] = [
  fields(":method GET", ":scheme http", ":path /", ":authority www.example.com"),
  fields(":method GET", ":scheme http", ":path /", ":authority www.example.com", "cache-control no-cache"),
  fields(":method GET", ":scheme https", ":path /index.html", ":authority www.example.com", "custom-key custom-value"),
];

const RESPONSES: readonly (readonly Field[])[] = [
  response("302", "21"),
  response("307", "21"),
  [
    ...response("200", "22"),
    ["content-encoding", "gzip"],
    ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
  ],
];

/** Appendix C: blocks that follow each other on one connection, and what they mean. */
const EXAMPLES: readonly [string, readonly string[], readonly (readonly Field[])[]][] = [
  [
    "C.2.1, a literal with indexing",
    ["400a637573746f6d2d6b65790d637573746f6d2d686561646572"],
    [fields("custom-key custom-header")],
  ],
  ["C.2.2, a literal without indexing", ["040c2f73616d706c652f70617468"], [fields(":path /sample/path")]],
  ["C.2.3, a literal that is never indexed", ["100870617373776f726406736563726574"], [fields("password secret")]],
  ["C.2.4, an indexed field", ["82"], [fields(":method GET")]],
  [
    "C.3, requests without Huffman coding",
    [
      "828684410f7777772e6578616d706c652e636f6d",
      "828684be58086e6f2d6361636865",
      "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ],
    REQUESTS,
  ],
  [
    "C.4, requests with Huffman coding",
    [
      "828684418cf1e3c2e5f23a6ba0ab90f4ff",
      "828684be5886a8eb10649cbf",
      "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    ],
    REQUESTS,
  ],
  [
    "C.5, responses without Huffman coding, with evictions",
    [
      `${TABLE_OF_256}4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d`,
      "4803333037c1c0bf",
      "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31",
    ],
    RESPONSES,
  ],
  [
    "C.6, responses with Huffman coding, with evictions",
    [
      `${TABLE_OF_256}488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3`,
      "4883640effc1c0bf",
      "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    ],
    RESPONSES,
  ],
];

/** Each `name value`. */
function fields(...lines: readonly string[]): Field[] {
  return lines.map((line) => {
    const [name = "", value = ""] = line.split(" ");
    return [name, value];
  });
}

function response(status: string, second: string): Field[] {
  return [
    [":status", status],
    ["cache-control", "private"],
    ["date", `Mon, 21 Oct 2013 20:13:${second} GMT`],
    ["location", "https://www.example.com"],
  ];
}

describe("the examples of RFC 7541", () => {
  it.each(EXAMPLES)("are decoded: %s", (_, blocks, meaning) => {
    const decoder = new HpackDecoder(64 * 1024);
    expect(blocks.map((block) => decoder.decode(Buffer.from(block, "hex")))).toEqual(meaning);
  });

  it.each([
    [10, 5, "0a"],
    [1337, 5, "1f9a0a"],
    [42, 8, "2a"],
  ])("are encoded: the integer %i with a prefix of %i bits", (value, bits, hex) => {
    const encoded = Buffer.from(encodeInteger(value, bits, 0));
    expect(encoded.toString("hex")).toBe(hex);
    expect(new BlockReader(encoded).integer(bits)).toBe(value);
  });

  it("are encoded: an indexed field, and a literal without indexing", () => {
    const encoder = new HpackEncoder();
    expect(encoder.encode(fields(":method GET")).toString("hex")).toBe("82");
    expect(encoder.encode(fields(":path /sample/path")).toString("hex")).toBe("040c2f73616d706c652f70617468");
  });
});
