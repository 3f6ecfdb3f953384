import { describe, expect, it } from "vitest";
import { escapeControls, Tail } from "./tail.ts";

describe("Tail", () => {
  it("keeps the end of what was said, within its bound", () => {
    const tail = new Tail(10);
    for (let turn = 0; turn < 1000; turn++) tail.push(Buffer.from(`line ${String(turn)}\n`));
    expect(tail.text()).toBe("\nline 999\n");
    expect(tail.lines(5)).toEqual(["line 999"]);
  });

  it("makes a guest's control characters harmless", () => {
    expect(escapeControls("a\x1b[31mred\x07\r\nb\u009b")).toBe("a\\x1b[31mred\\x07\nb\\x9b");
  });
});
