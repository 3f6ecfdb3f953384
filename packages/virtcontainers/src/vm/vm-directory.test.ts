import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createVmDirectory, removeVmDirectory } from "./vm-directory.ts";

const NOBODY = 65534;

describe("the directory of a VM", () => {
  let root = "";

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "vm-directory-"));
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it("is for root alone, and goes whole", async () => {
    const parent = join(root, "vm");
    const { path } = await createVmDirectory(parent, {});
    expect(statSync(parent).mode & 0o777).toBe(0o700);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    await removeVmDirectory(path);
    expect(readdirSync(parent)).toEqual([]);
  });

  it.each([
    [
      "a link to somewhere else",
      (path: string) => {
        symlinkSync(root, path);
      },
    ],
    [
      "a file",
      (path: string) => {
        writeFileSync(path, "");
      },
    ],
    [
      "another user's directory",
      (path: string) => {
        mkdirSync(path);
        chownSync(path, NOBODY, NOBODY);
      },
    ],
  ])("is not made below what another user has planted: %s", async (_, plant) => {
    const parent = join(root, "vm");
    plant(parent);
    const before = readdirSync(root);
    await expect(createVmDirectory(parent, {})).rejects.toThrow();
    expect(readdirSync(root)).toEqual(before);
  });
});
