import { describe, expect, it } from "vitest";

const TEXT = "aß€😀\ud800!";

describe("Buffer's texts", () => {
  it.each(["utf8", "latin1", "ascii", "hex", "base64", "base64url", "utf16le"] as const)(
    "are bytes and back, in %s",
    (encoding) => {
      const bytes = Buffer.from([0, 1, 0x7f, 0x80, 0xc3, 0xa4, 0xff, 0x41]);
      const text = bytes.toString(encoding);
      const expected = {
        utf8: "\0\u0001\u007f\ufffdä\ufffdA",
        latin1: "\0\u0001\u007f\u0080Ã¤ÿA",
        ascii: "\0\u0001\u007f\0C$\u007fA",
        hex: "00017f80c3a4ff41",
        base64: "AAF/gMOk/0E=",
        base64url: "AAF_gMOk_0E",
        utf16le: "\u0100\u807f\ua4c3\u41ff",
      }[encoding];
      expect(text).toBe(expected);
      if (encoding !== "utf8" && encoding !== "ascii") expect(Buffer.from(text, encoding)).toEqual(bytes);
    },
  );

  it("are written as UTF-8 with a replacement for half a pair", () => {
    expect(Buffer.from(TEXT).toString("hex")).toBe("61c39fe282acf09f9880efbfbd21");
    expect(Buffer.byteLength(TEXT)).toBe(14);
  });

  it.each([
    ["c3", "\ufffd"],
    ["e282", "\ufffd"],
    ["f09f98", "\ufffd"],
    ["c080", "\ufffd\ufffd"],
    ["eda080", "\ufffd\ufffd\ufffd"],
    ["f48fbfbf", "\u{10ffff}"],
    ["f4908080", "\ufffd\ufffd\ufffd\ufffd"],
    ["61e28262", "a\ufffdb"],
  ])("replace what is no UTF-8: %s", (hex, text) => {
    expect(Buffer.from(hex, "hex").toString()).toBe(text);
  });

  it("are cut at whole characters where there is no more room", () => {
    const bytes = Buffer.alloc(4, 0x2e);
    expect(bytes.write("a€€")).toBe(4);
    expect(bytes.write("€", 2)).toBe(0);
    expect(bytes.toString()).toBe("a€");
    expect(bytes.write("ff00zz", 1, "hex")).toBe(2);
    expect(bytes.toString("hex")).toBe("61ff00ac");
  });

  it("end at the first pair that is no hexadecimal", () => {
    expect(Buffer.from("0aZZ0b", "hex")).toEqual(Buffer.from([10]));
    expect(Buffer.from("0ab", "hex")).toEqual(Buffer.from([10]));
  });

  it("have ends that slice() would take", () => {
    const bytes = Buffer.from("abcdef");
    expect([bytes.toString("latin1", 2), bytes.toString("latin1", 2, 4), bytes.toString("latin1", 4, 2)]).toEqual([
      "cdef",
      "cd",
      "",
    ]);
    expect(bytes.toString("latin1", 3, 100)).toBe("def");
  });

  it("have an encoding that is known", () => {
    expect(Buffer.isEncoding("UTF-8")).toBe(true);
    expect(Buffer.isEncoding("ebcdic")).toBe(false);
    expect(() => Buffer.from("a", "ebcdic" as BufferEncoding)).toThrow(/ebcdic/);
  });
});

describe("Buffer's memory", () => {
  it("is shared by slices, which are Buffers, and copied by from()", () => {
    const bytes = Buffer.from([1, 2, 3, 4]);
    const part = bytes.subarray(1, 3);
    part[0] = 9;
    expect([...bytes]).toEqual([1, 9, 3, 4]);
    expect([Buffer.isBuffer(part), Buffer.isBuffer(bytes.subarray(-2)), part instanceof Uint8Array]).toEqual([
      true,
      true,
      true,
    ]);
    const copy = Buffer.from(bytes);
    copy[0] = 7;
    expect(bytes[0]).toBe(1);
    const shared = Buffer.from(bytes.buffer, bytes.byteOffset, 2);
    shared[0] = 5;
    expect(bytes[0]).toBe(5);
  });

  it("is shared from a place to another, whatever they are", () => {
    const bytes = Buffer.from([0, 1, 2, 3, 4, 5]).subarray(1, 5);
    const places = [undefined, Number.NaN, 0.9, -0.9, 1.5, -1.5, -9, 9, Number.POSITIVE_INFINITY, "2" as never];
    const parts = places.flatMap((start) => places.map((end) => bytes.subarray(start, end)));
    const same = places.flatMap((start) => places.map((end) => new Uint8Array([1, 2, 3, 4]).subarray(start, end)));
    expect(parts.map((part) => [...part].join())).toEqual(same.map((part) => [...part].join()));
    expect(parts.every((part) => Buffer.isBuffer(part) && part.buffer === bytes.buffer)).toBe(true);
    expect([bytes.subarray(2).byteOffset, bytes.subarray(9).byteOffset]).toEqual([
      bytes.byteOffset + 2,
      bytes.byteOffset + 4,
    ]);
    expect(Object.getPrototypeOf(Buffer.allocUnsafe(1))).toBe(Buffer.prototype);
    expect(() => bytes.subarray(1n as never)).toThrow(TypeError);
  });

  it("is filled, copied, joined and compared", () => {
    expect(Buffer.alloc(5, "ab").toString()).toBe("ababa");
    expect(Buffer.alloc(3, 0x141).toString()).toBe("AAA");
    const target = Buffer.alloc(4);
    expect(Buffer.from("abcdef").copy(target, 1, 2)).toBe(3);
    expect(target.toString("latin1")).toBe("\0cde");
    expect([5, 4].map((place) => target.copy(Buffer.alloc(4), place))).toEqual([0, 0]);
    expect([target.copy(Buffer.alloc(4), 0, 4), target.copy(Buffer.alloc(4), 0, 3, 1)]).toEqual([0, 0]);
    for (const places of [[-1], [0, -1], [0, 5], [0, 1, -1]]) {
      expect(() => target.copy(Buffer.alloc(4), ...places)).toThrow(RangeError);
    }
    expect(Buffer.concat([Buffer.from("ab"), new Uint8Array([99])]).toString()).toBe("abc");
    expect(Buffer.concat([Buffer.from("abc")], 2).toString()).toBe("ab");
    expect(Buffer.concat([Buffer.from("a")], 3).toString("hex")).toBe("610000");
    expect(Buffer.compare(Buffer.from("ab"), Buffer.from("b"))).toBe(-1);
    expect(Buffer.from("ab").compare(Buffer.from("a"))).toBe(1);
    expect(Buffer.from("ab").equals(new Uint8Array([97, 98]))).toBe(true);
    expect(JSON.stringify(Buffer.from([1, 2]))).toBe('{"type":"Buffer","data":[1,2]}');
  });

  it("is searched for bytes, texts and Buffers", () => {
    const bytes = Buffer.from("one two one");
    expect([bytes.indexOf("one"), bytes.indexOf("one", 1), bytes.lastIndexOf("one"), bytes.indexOf("three")]).toEqual([
      0, 8, 8, -1,
    ]);
    expect([bytes.indexOf(0x74), bytes.indexOf(Buffer.from("wo")), bytes.includes("two"), bytes.indexOf("")]).toEqual([
      4,
      5,
      true,
      0,
    ]);
    expect([bytes.lastIndexOf("one", 7), bytes.lastIndexOf(0x6f, 7), bytes.indexOf("o", -3)]).toEqual([0, 6, 8]);
    expect(Buffer.from("aaa").lastIndexOf("aa")).toBe(1);
  });

  it("has a size that is a number", () => {
    expect(() => Buffer.alloc("5" as never)).toThrow(TypeError);
    expect(() => Buffer.alloc(-1)).toThrow(RangeError);
    expect(() => Buffer.from(5 as never)).toThrow(TypeError);
  });
});

describe("Buffer's numbers", () => {
  it("are read and written at an offset, in either order", () => {
    const bytes = Buffer.alloc(16);
    expect(bytes.writeUInt32BE(0x01020304, 1)).toBe(5);
    expect(bytes.writeInt16LE(-2, 5)).toBe(7);
    expect(bytes.writeBigUInt64LE(0xffff_ffff_ffff_fffen, 8)).toBe(16);
    expect(bytes.toString("hex")).toBe("0001020304feff00feffffffffffffff");
    expect([bytes.readUInt32BE(1), bytes.readUInt16LE(1), bytes.readInt16LE(5), bytes.readInt8(5)]).toEqual([
      0x01020304, 0x0201, -2, -2,
    ]);
    expect([bytes.readBigUInt64LE(8), bytes.readBigInt64LE(8)]).toEqual([0xffff_ffff_ffff_fffen, -2n]);
    expect(bytes.writeUIntBE(0x010203, 0, 3)).toBe(3);
    expect([bytes.readUIntBE(0, 3), bytes.readUIntLE(0, 3), bytes.readUint16BE(1)]).toEqual([
      0x010203, 0x030201, 0x0203,
    ]);
  });

  it("are whole numbers, at the last places too", () => {
    const bytes = Buffer.from("00ffeeddccbbaa99", "hex").subarray(1, 6);
    expect([bytes.readUInt8(4), bytes.readUInt16BE(3), bytes.readUInt32BE(1), bytes.readUIntBE(2, 3)]).toEqual([
      0xbb, 0xccbb, 0xeeddccbb, 0xddccbb,
    ]);
    expect(bytes.readUInt32BE()).toBe(0xffeeddcc);
    expect([bytes.writeUInt8(254.9, 4), bytes.writeUInt16BE(0x0102, 2), bytes.writeUInt32BE(0xfedcba98, 0)]).toEqual([
      5, 4, 4,
    ]);
    expect(bytes.toString("hex")).toBe("fedcba98fe");
    expect(bytes.writeUInt16BE(Number.NaN, 0)).toBe(2);
    expect(bytes.toString("hex")).toBe("0000ba98fe");
    for (const offset of [5, 4.5, -1, Number.NaN, Number.POSITIVE_INFINITY, "1" as never]) {
      const attempts = [
        () => bytes.readUInt8(offset),
        () => bytes.readUInt16BE(offset),
        () => bytes.readUInt32BE(offset),
        () => bytes.writeUInt8(1, offset),
        () => bytes.writeUInt16BE(1, offset),
        () => bytes.writeUInt32BE(1, offset),
      ];
      for (const attempt of attempts) expect(attempt).toThrow();
    }
    for (const offset of [2, 3, 4]) expect(() => bytes.readUInt32BE(offset)).toThrow(RangeError);
    expect(() => bytes.writeUInt32BE(-1)).toThrow(RangeError);
    expect(() => bytes.writeUInt32BE(2 ** 32)).toThrow(RangeError);
    expect(bytes.toString("hex"), "nothing is written of what is refused").toBe("0000ba98fe");
  });

  it("have to fit, and so have their offsets", () => {
    const bytes = Buffer.alloc(4);
    const codes = [
      () => bytes.writeUInt8(256),
      () => bytes.writeUInt32LE(-1),
      () => bytes.writeInt16LE(40_000),
      () => bytes.readUInt32LE(1),
      () => bytes.readUInt8(-1),
      () => bytes.readBigUInt64LE(),
      () => bytes.writeBigUInt64LE(-1n),
    ].map((body) => {
      try {
        return body();
      } catch (error) {
        return (error as { code: unknown }).code;
      }
    });
    const [range, bounds] = ["ERR_OUT_OF_RANGE", "ERR_BUFFER_OUT_OF_BOUNDS"];
    expect(codes.slice(0, 6)).toEqual([range, range, range, range, range, bounds]);
  });
});

describe("TextDecoder and TextEncoder", () => {
  it("pass a mark of byte order over, and can be strict", () => {
    expect(new TextDecoder().decode(Buffer.from("efbbbf61ff", "hex"))).toBe("a\ufffd");
    expect(() => new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from("61ff", "hex"))).toThrow(TypeError);
    expect(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from("\ufffd"))).toBe("\ufffd");
    expect([...new TextEncoder().encode("ä")]).toEqual([0xc3, 0xa4]);
  });
});
