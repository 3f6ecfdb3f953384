import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { MadeParents } from "./made-parents.ts";

it("directories that were made above cgroups go with the last of these, others stay", () => {
  const root = mkdtempSync(join(tmpdir(), "parents-"));
  try {
    const notes = join(root, "notes");
    const [theirs, ours, inner] = [join(root, "theirs"), join(root, "theirs/ours"), join(root, "theirs/ours/inner")];
    const [first, second] = [join(inner, "first"), join(inner, "second")];
    mkdirSync(theirs);
    new MadeParents(notes).note([inner, ours]);
    for (const directory of [first, second]) mkdirSync(directory, { recursive: true });
    rmdirSync(first);
    new MadeParents(notes).sweepAbove(first);
    expect(existsSync(inner)).toBe(true);
    rmdirSync(second);
    new MadeParents(notes).sweepAbove(second);
    expect(existsSync(ours)).toBe(false);
    expect(existsSync(theirs)).toBe(true);
    expect(readdirSync(notes)).toEqual([]);
  } finally {
    rmSync(root, { recursive: true });
  }
});

it("a place that takes no notes refuses no container", () => {
  const root = mkdtempSync(join(tmpdir(), "parents-"));
  try {
    const file = join(root, "file");
    writeFileSync(file, "");
    expect(() => {
      new MadeParents(join(file, "notes")).note(["/sys/fs/cgroup/a"]);
    }).not.toThrow();
  } finally {
    rmSync(root, { recursive: true });
  }
});
