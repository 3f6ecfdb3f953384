import { expect, it } from "vitest";
import { ProgressLine } from "./progress-line.ts";

it.each([80, 40, 24, 12, 4])("fits a terminal of %i columns, and is gone in the end", (columns) => {
  const written: string[] = [];
  {
    using line = new ProgressLine({ isTTY: true, columns, write: (text: string) => written.push(text) });
    for (const percent of [1, 1, 50, 100])
      line.show("registry.example/a/rather/long/name:tag", `fetching ${String(percent)} %`);
  }
  const lines = written.map((text) => text.replace("\r\u001b[2K", ""));
  expect(lines.every((line) => line.length < columns)).toBe(true);
  expect(new Set(written).size).toBe(written.length);
  expect(lines.at(-1)).toBe("");
});

it("is silent where no terminal is", () => {
  const written: string[] = [];
  using line = new ProgressLine({ write: (text: string) => written.push(text) });
  line.show("x", "fetching");
  expect(written).toEqual([]);
});
