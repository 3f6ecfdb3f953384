import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkDev } from "./check-dev.ts";

describe("an image's /dev", () => {
  let root = "";

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "check-dev-"));
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  it.each(["/run", "../run", "gone", "dev"])("is refused as a link to %s", (target) => {
    symlinkSync(target, join(root, "dev"));
    expect(() => {
      checkDev(root);
    }).toThrow(`symbolic link to "${target}"`);
  });

  it("is taken as a directory, and may be missing", () => {
    checkDev(root);
    mkdirSync(join(root, "dev"));
    checkDev(root);
  });
});
