import { expect, it } from "vitest";
import { Timeline } from "./timeline.ts";

it("a timeline shows each step in order, when it was done and what it took", () => {
  const timeline = new Timeline(true);
  timeline.note("program loaded");
  timeline.note("vm-started");
  const rows = timeline.table().trimEnd().split("\n");
  const parsed = rows.map((row) => /^ *(\d+) ms +\+(\d+) {2}(.+)$/.exec(row)?.slice(1) ?? []);
  expect(parsed.map(([, , step]) => step)).toEqual(["program loaded", "vm-started", "end"]);
  const at = parsed.map(([time]) => Number(time));
  expect(at).toEqual([...at].sort((a, b) => a - b));
});
