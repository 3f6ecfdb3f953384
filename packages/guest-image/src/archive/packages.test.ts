import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readPackages } from "./packages.ts";

describe("the packages of a cached directory", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "packages-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("are read", async () => {
    const packages = [{ name: "crun", version: "1", sha256: "ab" }];
    writeFileSync(join(directory, "packages.json"), JSON.stringify(packages));
    expect(await readPackages(directory)).toEqual(packages);
  });

  it.each(['[{"name":"crun"', "null", "{}", "[null]", '[{"name":"crun","version":1,"sha256":"ab"}]'])(
    "are refused with what to do where their list is damaged: %s",
    async (text) => {
      writeFileSync(join(directory, "packages.json"), text);
      await expect(readPackages(directory)).rejects.toMatchObject({
        code: "KATA_GUEST_IMAGE",
        message: expect.stringContaining("packages.json is damaged (delete ") as string,
      });
    },
  );
});
