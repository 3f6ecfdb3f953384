import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { findProgram } from "./find-program.ts";

it("finds a program at the first path where one can be run; else the usual path stands for it in messages", () => {
  const directory = mkdtempSync(join(tmpdir(), "find-program-"));
  const [data, real, later] = [join(directory, "data"), join(directory, "real"), join(directory, "later")];
  try {
    writeFileSync(data, "", { mode: 0o644 });
    for (const program of [real, later]) writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
    expect(findProgram(["/nowhere/qemu", directory, data, real, later])).toBe(real);
    expect(findProgram(["/nowhere/qemu", data])).toBe("/nowhere/qemu");
  } finally {
    rmSync(directory, { recursive: true });
  }
});
