import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readOwnFile } from "./own-files.ts";

describe("readOwnFile", () => {
  let directory = "";
  let file = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "own-files-"));
    file = join(directory, "file");
    writeFileSync(file, "ours", { mode: 0o600 });
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("reads what is this user's, also in a sticky directory of all", () => {
    expect(readOwnFile(file)).toBe("ours");
    chmodSync(directory, 0o1777);
    expect(readOwnFile(file)).toBe("ours");
  });

  it.each([
    [
      "another user's file",
      () => {
        chownSync(file, 1234, 0);
      },
    ],
    [
      "a file of another user's directory",
      () => {
        chownSync(directory, 1234, 0);
      },
    ],
    [
      "a file that others can write",
      () => {
        chmodSync(file, 0o666);
      },
    ],
    [
      "a file that others can replace",
      () => {
        chmodSync(directory, 0o777);
      },
    ],
  ])("does not believe %s", (_, plant) => {
    plant();
    expect(() => readOwnFile(file)).toThrow(expect.objectContaining({ code: "KATA_FOREIGN_FILE" }) as Error);
  });

  it("follows no link, and takes nothing for a file that is none", () => {
    const link = join(directory, "link");
    symlinkSync(file, link);
    expect(() => readOwnFile(link)).toThrow(expect.objectContaining({ code: "ELOOP" }) as Error);
    mkdirSync(join(directory, "directory"));
    expect(() => readOwnFile(join(directory, "directory"))).toThrow("not a regular file");
  });
});
