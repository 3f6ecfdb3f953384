import { memoryUsage } from "node:process";
import { describe, expect, it } from "vitest";
import { releaseMemory } from "./memory.ts";

const KEPT = 200_000;

describe("releaseMemory", () => {
  it("gives garbage back, and nothing that is in use", () => {
    let garbage: object[] | undefined = Array.from({ length: KEPT }, (_, index) => ({ index }));
    const kept = Array.from({ length: KEPT }, (_, index) => ({ index }));
    const before = memoryUsage();
    expect(garbage).toHaveLength(KEPT);
    garbage = undefined;
    releaseMemory();
    const after = memoryUsage();
    expect(before.heapUsed - after.heapUsed).toBeGreaterThan(KEPT * 20);
    expect(before.heapTotal - after.heapTotal).toBeGreaterThan(KEPT * 20);
    expect(kept.at(-1)).toEqual({ index: KEPT - 1 });
  });
});
