import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { isNetworkNamespace, NetworkNamespace, removeNamespace } from "./namespace.ts";

it("a namespace's name that a crash has left goes like any other", () => {
  const directory = mkdtempSync(join(tmpdir(), "names-"));
  const stale = join(directory, "stale");
  const pinned = join(directory, "pinned");
  writeFileSync(stale, "");
  using namespace = NetworkNamespace.create();
  namespace.pin(pinned);
  expect([isNetworkNamespace(stale), isNetworkNamespace(pinned)]).toEqual([false, true]);
  for (const path of [stale, pinned, join(directory, "missing")]) {
    removeNamespace(path);
    expect(existsSync(path)).toBe(false);
  }
  rmSync(directory, { recursive: true });
});
