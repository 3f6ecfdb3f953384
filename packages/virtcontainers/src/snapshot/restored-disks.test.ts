import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import type { OpenSnapshot } from "./open-snapshot.ts";
import { RestoredDisks } from "./restored-disks.ts";

const SUFFIX = "0123456789ab";

/** A directory with a snapshot's two disks, removed in the end. */
async function disks(): Promise<{ readonly path: string; readonly snapshot: OpenSnapshot } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "disks-"));
  const saved = ["one", "two"].map((file, index) => ({ owner: "web", index, where: "02/00", readonly: false, file }));
  for (const { file } of saved) await writeFile(join(path, file), `of ${file}`);
  const pathOf = (file: string): string => join(path, file);
  const snapshot = { directory: path, pathOf, manifest: { vm: { disks: saved } } } as unknown as OpenSnapshot;
  return { path, snapshot, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

async function openFiles(): Promise<number> {
  return (await readdir("/proc/self/fd")).length;
}

it("are copies without names, in the order of the disks", async () => {
  await using at = await disks();
  using copied = await RestoredDisks.copy(at.snapshot, SUFFIX);
  expect(await Promise.all(copied.disks.map(({ path }) => readFile(path, "utf8")))).toEqual(["of one", "of two"]);
  expect(await readdir(at.path)).toEqual(["one", "two"]);
});

it("leave no descriptor where one of them cannot be made, or the caller gives up", async () => {
  await using at = await disks();
  const before = await openFiles();
  const givenUp = RestoredDisks.copy(at.snapshot, SUFFIX, AbortSignal.abort());
  await expect(givenUp).rejects.toMatchObject({ name: "AbortError" });
  await mkdir(join(at.path, `disk1-${SUFFIX}`));
  await expect(RestoredDisks.copy(at.snapshot, SUFFIX)).rejects.toMatchObject({ code: "EEXIST" });
  // Pipes of the program that copies are closed a moment later.
  await vi.waitUntil(async () => (await openFiles()) === before, { timeout: 10_000 });
});
