import { describe, expect, it } from "vitest";
import { resourceRequestOf } from "./sizing.ts";

const MIB = 1024 * 1024;

describe("what limits ask of a VM", () => {
  it.each([
    [undefined, 0, 0],
    [{}, 0, 0],
    [{ cpu: { quota: 150_000, period: 100_000 } }, 1500, 0],
    [{ cpu: { quota: 50_000 } }, 500, 0],
    [{ cpu: { quota: -1, period: 100_000 } }, 0, 0],
    [{ cpu: { quota: 0, cpus: "0-2,5" } }, 4000, 0],
    [{ cpu: { quota: 100_000, period: 100_000, cpus: "0-2" } }, 1000, 0],
    [{ cpu: { cpus: "nonsense" } }, 0, 0],
    [{ memory: { limit: 256 * MIB } }, 0, 256],
    [{ memory: { limit: 256 * MIB + 1 } }, 0, 257],
    [{ memory: { limit: -1 } }, 0, 0],
    [{ memory: { limit: 0 } }, 0, 0],
  ])("%j", (resources, milliCpus, memoryMiB) => {
    expect(resourceRequestOf(resources)).toEqual({ milliCpus, memoryMiB });
  });

  it("stays where an update names nothing else", () => {
    const before = { milliCpus: 500, memoryMiB: 256 };
    expect(resourceRequestOf({ memory: { limit: 512 * MIB } }, before)).toEqual({ milliCpus: 500, memoryMiB: 512 });
    expect(resourceRequestOf({ cpu: { quota: -1 } }, before)).toEqual({ milliCpus: 0, memoryMiB: 256 });
    expect(resourceRequestOf({}, before)).toEqual(before);
  });
});
