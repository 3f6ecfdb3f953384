import { describe, expect, it } from "vitest";
import { unitProperties } from "./unit-properties.ts";

const MIB = 1024 ** 2;

describe("properties of a unit", () => {
  const limits = {
    memoryBytes: 64 * MIB,
    cpuShares: 1024,
    cpuTime: { quota: 255_500, period: 50_000 },
    tasks: 100,
    cpus: "0-1,9",
    mems: "0",
    blockIo: { weight: 1000, throttles: [{ kind: "readBytes", device: "8:0", perSecond: 7 } as const] },
  };

  it("are the container's limits as cgroup v2 has them", () => {
    expect(unitProperties(limits, 2)).toEqual([
      ["MemoryMax", "t", String(64 * MIB)],
      ["CPUWeight", "t", "39"],
      ["CPUQuotaPerSecUSec", "t", "5110000"],
      ["CPUQuotaPeriodUSec", "t", "50000"],
      ["TasksMax", "t", "100"],
      ["AllowedCPUs", "ay", "2", "3", "2"],
      ["AllowedMemoryNodes", "ay", "1", "1"],
      ["IOWeight", "t", "10000"],
      ["IOReadBandwidthMax", "a(st)", "1", "/dev/block/8:0", "7"],
    ]);
  });

  it("are those of v1 that systemd manages there", () => {
    expect(unitProperties(limits, 1)).toEqual([
      ["MemoryLimit", "t", String(64 * MIB)],
      ["CPUShares", "t", "1024"],
      ["CPUQuotaPerSecUSec", "t", "5110000"],
      ["TasksMax", "t", "100"],
      ["BlockIOWeight", "t", "1000"],
    ]);
  });

  it("say that there is no limit, and nothing of what is not asked for", () => {
    const infinity = "18446744073709551615";
    expect(unitProperties({ memoryBytes: -1, tasks: -1, cpuTime: { quota: -1, period: 100_000 } }, 2)).toEqual([
      ["MemoryMax", "t", infinity],
      ["CPUQuotaPerSecUSec", "t", infinity],
      ["CPUQuotaPeriodUSec", "t", "100000"],
      ["TasksMax", "t", infinity],
    ]);
    expect(unitProperties({ cpuShares: 0, cpus: "", mems: "" }, 2)).toEqual([]);
  });
});
