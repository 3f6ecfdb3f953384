import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPipe } from "@kata-ts/linux";
import { expect, it } from "vitest";
import { isOneFile } from "./one-file.ts";

it("two descriptors are one file where they are one pipe, or one open file", () => {
  const directory = mkdtempSync(join(tmpdir(), "one-file-"));
  const [one, other] = [createPipe(), createPipe()];
  const again = openSync(`/proc/self/fd/${String(one.write)}`, "w");
  const files = ["a", "b"].map((name) => openSync(join(directory, name), "w"));
  const read = openSync(join(directory, "a"), "r");
  const [first = -1, second = -1] = files;
  try {
    expect(isOneFile(one.write, again)).toBe(true);
    expect(isOneFile(one.write, other.write)).toBe(false);
    expect(isOneFile(first, first)).toBe(true);
    expect(isOneFile(first, second)).toBe(false);
    expect(isOneFile(first, read)).toBe(false);
    expect(isOneFile(first, 1_000_000)).toBe(false);
  } finally {
    for (const fd of [one.read, one.write, other.read, other.write, again, ...files, read]) closeSync(fd);
    rmSync(directory, { recursive: true });
  }
});
