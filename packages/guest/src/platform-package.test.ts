import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findPlatformPackage } from "./platform-package.ts";

const OWN = join(import.meta.dirname, "..", "package.json");

describe("findPlatformPackage", () => {
  let directory = "";
  const inDirectory = (specifier: string): string => join(directory, specifier);

  function install(version: string): void {
    const place = inDirectory("@kata-ts/guest-linux-x64");
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "package.json"), JSON.stringify({ name: "@kata-ts/guest-linux-x64", version }));
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-guest-"));
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("finds the files of the same release", () => {
    const { version } = JSON.parse(readFileSync(OWN, "utf8")) as { version: string };
    install(version);
    expect(findPlatformPackage("linux-x64", inDirectory)).toBe(join(directory, "@kata-ts/guest-linux-x64/dist"));
  });

  it("refuses those of another one", () => {
    install("99.1.2");
    expect(() => findPlatformPackage("linux-x64", inDirectory)).toThrow(/guest-linux-x64 is of version 99\.1\.2, and/);
  });

  it("says which machines there are guests for", () => {
    expect(() => findPlatformPackage("linux-arm64", inDirectory)).toThrow(
      expect.objectContaining({
        code: "KATA_GUEST",
        message: "there is no guest for linux-arm64, only for linux-x64",
        hint: expect.stringContaining("vm.kernelPath") as string,
      }) as Error,
    );
  });

  it("says that it is an optional dependency where it was left out", () => {
    const missing = (): never => {
      throw new Error("Cannot find module");
    };
    expect(() => findPlatformPackage("linux-x64", missing)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("--include=optional") as string }) as Error,
    );
  });
});
