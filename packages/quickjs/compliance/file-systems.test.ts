import * as fs from "node:fs";
import * as promises from "node:fs/promises";
import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";

describe("file systems", () => {
  it("say their kind and their size", async () => {
    const PROC_SUPER_MAGIC = 0x9fa0;
    expect(fs.statfsSync("/proc").type).toBe(PROC_SUPER_MAGIC);
    const { bsize, blocks, bfree } = await promises.statfs(tmpdir());
    expect(bsize).toBeGreaterThanOrEqual(512);
    expect(blocks).toBeGreaterThanOrEqual(bfree);
    expect(() => fs.statfsSync("/nowhere")).toThrow(/ENOENT.*statfs/);
  });
});
