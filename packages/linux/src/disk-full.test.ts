import { closeSync, openSync, writeSync } from "node:fs";
import { expect, it } from "vitest";
import { isDiskFull } from "./disk-full.ts";

it("knows what a write failed for that had no room, on the disk or in its writer's share of it", () => {
  const full = openSync("/dev/full", "w");
  try {
    writeSync(full, "no room");
    expect.unreachable("/dev/full takes nothing");
  } catch (error) {
    expect(isDiskFull(error)).toBe(true);
  } finally {
    closeSync(full);
  }
  expect(isDiskFull(Object.assign(new Error("over quota"), { code: "EDQUOT" }))).toBe(true);
  for (const code of ["EIO", "EFBIG", undefined])
    expect(isDiskFull(Object.assign(new Error("no"), { code }))).toBe(false);
  expect(isDiskFull("ENOSPC")).toBe(false);
});
