import { describe, expect, it } from "vitest";
import { ageOf, sizeText } from "./quantities.ts";

describe("quantities for people", () => {
  it.each([
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1 kB"],
    [211_400_000, "211 MB"],
    [1_500_000_000, "1.5 GB"],
    [5e18, "5000000 TB"],
  ])("%d bytes are %s", (bytes, text) => {
    expect(sizeText(bytes)).toBe(text);
  });

  it.each([
    [0, "now"],
    [1, "1 second ago"],
    [119, "1 minute ago"],
    [7200, "2 hours ago"],
    [86_400 * 400, "400 days ago"],
    [-5, "now"],
  ])("%d seconds are %s", (seconds, text) => {
    expect(ageOf(new Date(0), new Date(seconds * 1000))).toBe(text);
  });
});
