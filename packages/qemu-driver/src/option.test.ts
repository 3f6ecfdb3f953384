import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { option } from "./option.ts";

/** QEMU's own rule: a comma ends a value, two are one. */
function qemuReads(text: string): string[] {
  return text
    .replaceAll(",,", "\0")
    .split(",")
    .map((part) => part.replaceAll("\0", ","));
}

describe("option", () => {
  it("writes what QEMU reads back, whatever is in a value", () => {
    fc.assert(
      fc.property(
        fc.string().filter((value) => !value.includes("\0") && !/^,|,$/.test(value) && !value.includes(",,")),
        (value) => {
          expect(qemuReads(option("file", { path: value, readonly: true }))).toEqual([
            "file",
            `path=${value}`,
            "readonly=on",
          ]);
        },
      ),
    );
  });

  it("doubles commas and leaves out what is undefined", () => {
    expect(option("socket", { path: "/a,b", server: true, wait: false, id: undefined })).toBe(
      "socket,path=/a,,b,server=on,wait=off",
    );
  });

  it("refuses a zero byte", () => {
    expect(() => option("file", { path: "a\0b" })).toThrow(RangeError);
  });
});
