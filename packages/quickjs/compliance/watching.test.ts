import { appendFileSync, mkdtempSync, readFile, rmSync, watch, writeFile, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, it } from "vitest";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "kata-js-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

it("tells of changes of a file", async () => {
  const file = join(directory, "file");
  writeFileSync(file, "");
  const told: Promise<unknown[]> = new Promise((resolve) => {
    const watcher = watch(file, (...event) => {
      watcher.close();
      resolve(event);
    });
  });
  appendFileSync(file, "more");
  expect(await told).toEqual(["change", "file"]);
});

it("tells of what comes into a directory", async () => {
  const told: Promise<unknown[]> = new Promise((resolve) => {
    const watcher = watch(directory, (...event) => {
      watcher.close();
      resolve(event);
    });
  });
  writeFileSync(join(directory, "new"), "");
  expect(await told).toEqual(["rename", "new"]);
});

it("says what cannot be watched", () => {
  expect(() => watch(join(directory, "none"))).toThrow(/ENOENT.*watch/);
});

it("writes and reads with a callback", async () => {
  const file = join(directory, "file");
  await promisify(writeFile)(file, "text");
  expect(await promisify(readFile)(file, "utf8")).toBe("text");
  await expect(promisify(readFile)(join(directory, "none"))).rejects.toMatchObject({ code: "ENOENT" });
});
