import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Commands } from "../commands.ts";
import { type RuntimePlaces, runtimeProgram } from "./runtime-program.ts";

/** The real ones collect all children of their process. */
const commands: Pick<Commands, "run"> = {
  run: (file, args) => {
    const { status, stdout, stderr } = spawnSync(file, args, { encoding: "utf8" });
    return Promise.resolve({ status: status ?? 128, stdout, stderr });
  },
};

describe("the program that makes containers", () => {
  let directory = "";
  let places: RuntimePlaces = { packed: "", unpacked: "" };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "kata-runtime-program-"));
    places = { packed: join(directory, "packed"), unpacked: join(directory, "unpacked") };
    for (const place of [places.packed, places.unpacked]) mkdirSync(place);
  });
  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("is found by its name where the image has it as it is", async () => {
    expect(await runtimeProgram("crun", commands, places)).toBe("crun");
  });

  it("is unpacked where the image has it compressed", async () => {
    writeFileSync(join(places.packed, "runc.gz"), gzipSync("#!/bin/sh\necho $0 $1\n"));
    const program = await runtimeProgram("runc", commands, places);
    expect(program).toBe(join(places.unpacked, "runc"));
    expect(statSync(program).mode & 0o777).toBe(0o755);
    expect(spawnSync(program, ["list"], { encoding: "utf8" }).stdout).toBe(`${program} list\n`);
  });

  it("says what kept it from being unpacked", async () => {
    writeFileSync(join(places.packed, "runc.gz"), "no archive");
    await expect(runtimeProgram("runc", commands, places)).rejects.toThrow(
      /runc\.gz cannot be unpacked to .*: .*; does the guest/,
    );
  });

  it("is nowhere else than in that directory", async () => {
    mkdirSync(join(directory, "other"));
    writeFileSync(join(directory, "other", "runc.gz"), gzipSync(""));
    expect(await runtimeProgram("../other/runc", commands, places)).toBe("../other/runc");
  });
});
