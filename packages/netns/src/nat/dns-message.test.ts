import { fuzz, mutatedBytes } from "@kata-ts/fuzzing";
import { describe, expect, it } from "vitest";
import { type DnsQuestion, encodeEmptyAnswer, encodeQuery, parseAnswer, parseQuery, withId } from "./dns-message.ts";

const HEADER = (id: number, flags: number, questions: number, answers: number): Buffer => {
  const bytes = Buffer.alloc(12);
  for (const [index, value] of [id, flags, questions, answers].entries()) bytes.writeUInt16BE(value, index * 2);
  return bytes;
};
const name = (text: string): Buffer =>
  Buffer.concat([
    ...text.split(".").map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
    Buffer.of(0),
  ]);
const QUESTION = Buffer.concat([name("www.Example.org"), Buffer.of(0, 1, 0, 1)]);
const QUERY = Buffer.concat([HEADER(7, 0x0100, 1, 0), QUESTION]);
/** The question's name, where it stands in a message. */
const POINTER = Buffer.of(0xc0, 12);

function record(owner: Buffer, type: number, ttl: number, data: Buffer): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt16BE(type);
  head.writeUInt16BE(1, 2);
  head.writeUInt32BE(ttl, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([owner, head, data]);
}

function answer(...records: readonly Buffer[]): Buffer {
  return Buffer.concat([HEADER(9, 0x8180, 1, records.length), QUESTION, ...records]);
}

function question(): DnsQuestion {
  const parsed = parseQuery(QUERY);
  if (parsed === undefined) throw new Error("this is a query");
  return parsed;
}

describe("a query", () => {
  it("is one question", () => {
    expect(question()).toMatchObject({ id: 7, name: "www.example.org", type: 1, wantsRecursion: true });
    expect(encodeQuery(question(), 9)).toEqual(Buffer.concat([HEADER(9, 0x0100, 1, 0), QUESTION]));
    expect(encodeEmptyAnswer(question(), 3)).toEqual(Buffer.concat([HEADER(7, 0x8183, 1, 0), QUESTION]));
    expect(withId(QUERY, 1).readUInt16BE(0)).toBe(1);
  });

  it("has a name without surprises", () => {
    const odd = Buffer.concat([HEADER(7, 0, 1, 0), Buffer.of(5), Buffer.from('a.\n"B'), Buffer.of(0, 0, 1, 0, 1)]);
    expect(parseQuery(odd)?.name).toBe("a\\046\\010\\034b");
  });

  it.each([
    ["an answer", Buffer.concat([HEADER(7, 0x8100, 1, 0), QUESTION])],
    ["another operation", Buffer.concat([HEADER(7, 0x2800, 1, 0), QUESTION])],
    ["two questions", Buffer.concat([HEADER(7, 0x0100, 2, 0), QUESTION, QUESTION])],
    ["a pointer for a name", Buffer.concat([HEADER(7, 0x0100, 1, 0), POINTER, Buffer.of(0, 1, 0, 1)])],
    ["cut off", QUERY.subarray(0, -1)],
    ["empty", Buffer.alloc(0)],
  ])("is not %s", (_, message) => {
    expect(parseQuery(message)).toBeUndefined();
  });
});

describe("an answer", () => {
  it("has the addresses of the name, also by its aliases, and no others", () => {
    const message = answer(
      record(POINTER, 5, 30, name("cdn.example.net")),
      record(name("CDN.example.net"), 1, 60, Buffer.of(192, 0, 2, 1)),
      record(POINTER, 1, 90, Buffer.of(192, 0, 2, 2)),
      record(name("evil.example.net"), 1, 90, Buffer.of(192, 0, 2, 3)),
      record(POINTER, 28, 90, Buffer.alloc(16)),
    );
    expect(parseAnswer(message, question(), 9)).toEqual({
      isTruncated: false,
      addresses: [
        { address: "192.0.2.1", ttl: 60 },
        { address: "192.0.2.2", ttl: 90 },
      ],
    });
  });

  it("is to this question, with this id", () => {
    const message = answer(record(POINTER, 1, 90, Buffer.of(192, 0, 2, 2)));
    expect(parseAnswer(message, question(), 8)).toBeUndefined();
    expect(parseAnswer(QUERY, question(), 7)).toBeUndefined();
    expect(parseAnswer(message, { ...question(), name: "example.org" }, 9)).toBeUndefined();
    expect(parseAnswer(message, { ...question(), type: 28 }, 9)).toBeUndefined();
    expect(parseAnswer(message.subarray(0, -1), question(), 9)).toBeUndefined();
  });
});

describe("fuzz", () => {
  const messages = [answer(record(POINTER, 5, 30, name("cdn.example.net"))), QUERY];
  fuzz("dns", mutatedBytes(messages), (message) => {
    parseQuery(message);
    parseAnswer(message, question(), 9);
  });
});
