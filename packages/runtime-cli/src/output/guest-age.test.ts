import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ageWarning, describeAge, guestAge } from "./guest-age.ts";

let directory = "";
const now = new Date("2026-11-28T12:00:00Z");

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "guest-age-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function ageOf(note: string): ReturnType<typeof guestAge> {
  writeFileSync(join(directory, "guest-versions.json"), note);
  return guestAge(join(directory, "rootfs.ext4"), now);
}

describe("the guest's age", () => {
  it("is that of the archive's index, in whole days", () => {
    expect(ageOf('{"suite":"trixie","day":"2026-11-27"}')).toEqual({ suite: "trixie", day: "2026-11-27", days: 1 });
    expect(ageOf('{"suite":"trixie","day":"2026-11-28"}')?.days).toBe(0);
    // A clock that is behind the archive's.
    expect(ageOf('{"suite":"trixie","day":"2026-12-24"}')?.days).toBe(0);
  });

  it("is unknown for an image of another origin, and for a damaged note", () => {
    expect(guestAge(join(directory, "rootfs.ext4"), now)).toBeUndefined();
    for (const note of ["", "null", "{}", '{"suite":"trixie","day":"yesterday"}', '{"suite":1,"day":"2026-11-28"}']) {
      expect(ageOf(note), note).toBeUndefined();
    }
  });

  it("is described, and warned about once it lacks fixes", () => {
    const age = { suite: "trixie", day: "2026-11-27", days: 1 };
    expect(describeAge(age)).toBe("The guest has the packages that Debian trixie had on 2026-11-27, 1 day ago.");
    expect(ageWarning(age)).toBeUndefined();
    expect(ageWarning({ ...age, days: 46 })).toMatch(/npm run guest:update/);
  });
});
