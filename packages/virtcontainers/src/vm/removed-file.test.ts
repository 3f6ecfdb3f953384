import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, linkSync, mkdirSync, mkdtempSync, openSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { removedFileOf } from "./removed-file.ts";

/** A child that has the descriptor, and ends with its input. */
async function childWith(descriptor: number): Promise<AsyncDisposable & { readonly pid: number }> {
  const child = spawn("sh", ["-c", "echo up; exec cat"], { stdio: ["pipe", "pipe", "ignore", descriptor] });
  if (child.stdout === null) throw new Error("it was started without its output");
  await once(child.stdout, "data");
  return {
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      child.stdin?.end();
      await once(child, "exit");
    },
  };
}

it("names a file that a process, or its child, has open and that has no name; one with another name has one", async () => {
  const directory = mkdtempSync(join(tmpdir(), "removed-file-"));
  const path = join(directory, "file");
  writeFileSync(path, "x");
  const descriptor = openSync(path, "r");
  try {
    await using child = await childWith(descriptor);
    expect(removedFileOf(child.pid)).toBeUndefined();
    linkSync(path, `${path}-too`);
    rmSync(path);
    expect(removedFileOf(child.pid)).toBeUndefined();
    rmSync(`${path}-too`);
    expect(removedFileOf(child.pid)).toBe(path);
    expect(removedFileOf(process.pid)).toBe(path);
    closeSync(descriptor);
    expect(removedFileOf(process.pid), "its child's").toBe(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it("names a directory that was removed; one that has the kernel's word for that in its name has a name", () => {
  const directory = mkdtempSync(join(tmpdir(), "removed-file-"));
  const [kept, gone] = [join(directory, "kept (deleted)"), join(directory, "gone")];
  for (const path of [kept, gone]) mkdirSync(path);
  const descriptors = [kept, gone].map((path) => openSync(path, "r"));
  try {
    expect(removedFileOf(process.pid)).toBeUndefined();
    rmdirSync(gone);
    expect(removedFileOf(process.pid)).toBe(gone);
  } finally {
    for (const descriptor of descriptors) closeSync(descriptor);
    rmSync(directory, { recursive: true });
  }
});
