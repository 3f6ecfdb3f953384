import { describe, expect, it } from "vitest";
import { Tail } from "./tail.ts";

describe("Tail", () => {
  it("keeps the end of what was said, within its bound", () => {
    const tail = new Tail(10);
    for (let turn = 0; turn < 1000; turn++) tail.push(Buffer.from(`line ${String(turn)}\n`));
    expect(tail.text()).toBe("\nline 999\n");
    expect(tail.lines(5)).toEqual(["line 999"]);
  });

  it("makes what a guest says harmless", () => {
    const tail = new Tail(100);
    tail.push(Buffer.from("a\x1b[31m\u202eb\n"));
    expect(tail.lines(1)).toEqual(["a\\x1b[31m\\u{202e}b"]);
  });
});
