import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findProgram } from "./find-program.ts";

describe("programs of the host", () => {
  let directory = "";
  const program = (name: string, script: string, mode = 0o755): string => {
    const path = join(directory, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, mode);
    return path;
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "host-programs-"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  it("are found at the first path where one can be run; else the usual path stands for them in messages", () => {
    const data = program("data", "", 0o644);
    const real = program("real", "");
    expect(findProgram(["/nowhere/qemu", directory, data, real, program("later", "")])).toBe(real);
    expect(findProgram(["/nowhere/qemu", data])).toBe("/nowhere/qemu");
  });
});
