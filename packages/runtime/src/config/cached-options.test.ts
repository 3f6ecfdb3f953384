import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { cacheOptions } from "./cached-options.ts";
import { readOptions } from "./files.ts";

describe("options that a create has cached", () => {
  let directory = "";
  let file = "";
  let cache = "";

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "cached-"));
    file = join(directory, "c.toml");
    cache = join(directory, "kata.options.json");
    writeFileSync(file, "[runtime]\nboot_timeout = 9\nunknown = 1\n");
    cacheOptions(cache, await readOptions(file));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** Shows whether they were used: no file says so. */
  function mark(): void {
    const files = [{ path: file, text: "[runtime]\nboot_timeout = 9\nunknown = 1\n" }];
    cacheOptions(cache, { options: { runtime: { boot_timeout: 77 } }, files, warnings: [] });
  }

  it("are what was read, for root alone", async () => {
    expect(await readOptions(file, cache)).toEqual(await readOptions(file));
    expect(statSync(cache).mode & 0o777).toBe(0o600);
  });

  it("are another user's word where that user could write them", async () => {
    mark();
    chownSync(cache, 1234, 1234);
    expect((await readOptions(file, cache)).options).toEqual({ runtime: { boot_timeout: 9 } });
  });

  it("hold without another check while the files are the same", async () => {
    mark();
    expect((await readOptions(file, cache)).options).toEqual({ runtime: { boot_timeout: 77 } });
  });

  it.each([
    [
      "a file says something else",
      () => {
        writeFileSync(file, "[runtime]\nboot_timeout = 9\n");
      },
    ],
    [
      "a drop-in has come",
      () => {
        mkdirSync(join(directory, "config.d"));
        writeFileSync(join(directory, "config.d", "x.toml"), "");
      },
    ],
    [
      "they were cut off",
      () => {
        writeFileSync(cache, '{"build":"');
      },
    ],
    [
      "they are damaged",
      () => {
        const { build, loaded } = JSON.parse(readFileSync(cache, "utf8")) as { build: string; loaded: object };
        writeFileSync(cache, JSON.stringify({ build, loaded: { ...loaded, options: null } }));
      },
    ],
    [
      "they are another version's",
      () => {
        writeFileSync(cache, JSON.stringify({ build: "0.0.1", loaded: { files: [] } }));
      },
    ],
    [
      "they are gone",
      () => {
        rmSync(cache);
      },
    ],
  ])("do not hold when %s", async (_why, change) => {
    mark();
    change();
    expect((await readOptions(file, cache)).options).toEqual({ runtime: { boot_timeout: 9 } });
  });

  it("are not missed where they cannot be written", async () => {
    cacheOptions(join(directory, "gone", "kata.options.json"), await readOptions(file));
    expect((await readOptions(file, join(directory, "gone", "kata.options.json"))).options.runtime?.boot_timeout).toBe(
      9,
    );
  });
});
