import { describe, expect, it } from "vitest";
import { Tail } from "./tail.ts";

describe("Tail", () => {
  it("keeps the end of what was said, within its bound", () => {
    const tail = new Tail(10);
    for (let turn = 0; turn < 1000; turn++) tail.push(Buffer.from(`line ${String(turn)}\n`));
    expect(tail.text()).toBe("\nline 999\n");
    expect(tail.lines(5)).toEqual(["line 999"]);
  });

  it.each([1, 3, 9, 10, 11, 20, 35])("keeps the same of it, whatever its pieces: of %d bytes", (size) => {
    const said = Buffer.from(Array.from({ length: 70 }, (_, n) => 0x30 + n));
    const tail = new Tail(10);
    for (let at = 0; at < said.length; at += size) tail.push(said.subarray(at, at + size));
    expect(tail.text()).toBe(said.subarray(-10).toString());
  });

  it("makes what a guest says harmless", () => {
    const tail = new Tail(100);
    tail.push(Buffer.from("a\x1b[31m\u202eb\n"));
    expect(tail.lines(1)).toEqual(["a\\x1b[31m\\u{202e}b"]);
  });
});
