// The functions in C, called as no module of ours would: they have to refuse what they cannot do. Run by the engine alone.
import * as native from "kata:native";
import { describe, expect, it } from "vitest";

const bytes = new Uint8Array([1, 2, 3, 4]);

describe("memory", () => {
  it("is not read or written beyond its ends", () => {
    for (const body of [
      () => native.utf8Decode(bytes, 0, 5),
      () => native.utf8Decode(bytes, 3, 2),
      () => native.latin1Decode(bytes, -1, 2),
      () => native.utf8Write("text", bytes, 2, 9),
      () => native.hexWrite("00", bytes, 5, 5),
      () => native.read(0, bytes, 0, 5, -1),
      () => native.write(1, bytes, 4, 3, -1),
      () => native.search(bytes, bytes, 5),
      () => native.searchLast(bytes, bytes, 5),
      () => native.allocateView(Uint8Array, Uint8Array, -1),
      () => native.allocateView(Uint8Array, Uint8Array, 2 ** 31),
      () => native.epollWait(-1, new Int32Array(1), 0),
    ]) {
      expect(body).toThrow(RangeError);
    }
  });

  it("is that of an ArrayBuffer or a view", () => {
    for (const wrong of ["text", 5, null, undefined, {}, [1, 2]]) {
      expect(() => native.compare(bytes, wrong as never)).toThrow(TypeError);
      expect(() => native.addressOf(wrong as never)).toThrow(TypeError);
      expect(() => native.writev(1, [wrong] as never)).toThrow(TypeError);
      expect(() => native.subarrayOf(Uint8Array, Uint8Array, wrong as never, 0, 0)).toThrow(TypeError);
      expect(() => native.subarrayOf(wrong as never, Uint8Array, bytes, 0, 0)).toThrow(TypeError);
      expect(() => native.allocateView(Uint8Array, wrong as never, 1)).toThrow(TypeError);
    }
    expect(native.compare(bytes.buffer, new Uint16Array([0x0201, 0x0403]))).toBe(0);
  });

  it("may be empty", () => {
    const none = new Uint8Array();
    expect([native.compare(none, none), native.search(none, none, 0), native.search(none, bytes, 0)]).toEqual([
      0, 0, -1,
    ]);
    expect([native.searchLast(none, none, 0), native.utf8Decode(none, 0, 0), native.hexDecode(none, 0, 0)]).toEqual([
      0,
      "",
      "",
    ]);
    expect(native.allocateView(Uint8Array, Uint8Array, 0)).toHaveLength(0);
    expect(native.subarrayOf(Uint8Array, Uint8Array, none, 0, 5)).toHaveLength(0);
  });
});

describe("calls", () => {
  it("are of functions that are there, with as many arguments as registers have room for", () => {
    expect(native.functionNamed("system")).toBe(-1);
    for (const wrong of [-1, 10_000]) expect(() => native.call(wrong)).toThrow(RangeError);
    const getpid = native.functionNamed("getpid");
    expect(() => native.call(getpid, 1, 2, 3, 4, 5, 6, 7, 8, 9)).toThrow(RangeError);
    expect(() => native.call(getpid, {} as never)).toThrow(TypeError);
    expect(() => native.call(native.functionNamed("access"), "a\0b", 0)).toThrow(TypeError);
    expect(native.call(getpid)).toBeGreaterThan(0);
  });

  it("leave their error behind", () => {
    expect(native.call(native.functionNamed("close"), 9999)).toBe(-1);
    expect(native.errno()).toBe(9);
    expect(native.read(9999, bytes, 0, 1, -1)).toBe(-9);
  });

  it("are refused while too many threads have some", async () => {
    const ends = new Int32Array(2);
    native.call(native.functionNamed("pipe2"), ends, 0);
    const [from = -1, to = -1] = ends;
    const poll = native.functionNamed("poll");
    const started = Array.from({ length: 33 }, () => native.threadStart(to, poll, null, 0, 5));
    expect([started.filter((number) => number >= 0).length, started.at(-1)]).toEqual([32, -11]);
    const ended = new Uint8Array(1);
    for (let count = 0; count < 32; count++) {
      expect(native.read(from, ended, 0, 1, -1)).toBe(1);
      expect(native.threadResult(ended[0] ?? -1)).toBe(0);
    }
    expect(() => native.threadResult(0)).toThrow(RangeError);
    expect(() => native.threadResult(99)).toThrow(RangeError);
    expect(native.threadStart(to, native.functionNamed("close"), 9999)).toBe(0);
    native.read(from, ended, 0, 1, -1);
    expect(native.threadResult(0)).toBe(-9);
  });
});

describe("hashes", () => {
  it("have no other state than their own", () => {
    const bytes = new Uint8Array(3);
    for (const state of [new ArrayBuffer(0), bytes.buffer, native.hashEnd(native.hashStart(true))]) {
      expect(() => native.hashEnd(state)).toThrow(RangeError);
      expect(() => {
        native.hashTake(state, bytes);
      }).toThrow(RangeError);
    }
    const state = native.hashStart(false);
    native.hashTake(state, new Uint8Array(0));
    expect(native.hashEnd(state).byteLength).toBe(32);
  });
});
