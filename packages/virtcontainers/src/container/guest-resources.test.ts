import { describe, expect, it } from "vitest";
import { guestResources, unappliedResources } from "./guest-resources.ts";

const MIB = 1024 * 1024;
const DEVICE = { major: 8, minor: 0, rate: 1 };

/** What Docker writes on a host with cgroup v1 for --kernel-memory, --oom-kill-disable, --device-read-bps and the like. */
const OF_V1 = {
  memory: { limit: 64 * MIB, kernel: 32 * MIB, kernelTCP: 8 * MIB, swappiness: 60, disableOOMKiller: true },
  cpu: { quota: 50_000, period: 100_000, realtimeRuntime: 950_000, realtimePeriod: 1_000_000 },
  blockIO: { weight: 300, leafWeight: 10, weightDevice: [{ major: 8, minor: 0, weight: 5 }] },
  network: { classID: 7, priorities: [{ name: "eth0", priority: 1 }] },
};

describe("a container's limits in the guest", () => {
  it("reach the guest without the host's numbers, and without what was not asked for", () => {
    const asked = {
      cpu: { shares: 0, quota: 50_000, period: 100_000, cpus: "2-3", mems: "1" },
      memory: { limit: 64 * MIB, swap: -1, kernel: 0 },
      pids: { limit: 10 },
      blockIO: { throttleReadBpsDevice: [DEVICE] },
    };
    expect(guestResources(asked)).toEqual({
      cpu: { quota: 50_000, period: 100_000 },
      memory: { limit: 64 * MIB, swap: -1 },
      pids: { limit: 10 },
    });
    expect(unappliedResources(asked, true)).toEqual([]);
  });

  it("reach the guest without what only cgroup v1 has; each is named", () => {
    expect(guestResources(OF_V1)).toEqual({
      memory: { limit: 64 * MIB },
      cpu: { quota: 50_000, period: 100_000 },
    });
    expect(unappliedResources(OF_V1, true).map((text) => text.split(" ")[0])).toEqual([
      "linux.resources.network",
      "linux.resources.cpu.realtimeRuntime",
      "linux.resources.cpu.realtimePeriod",
      "linux.resources.memory.kernel",
      "linux.resources.memory.kernelTCP",
      "linux.resources.memory.swappiness",
      "linux.resources.memory.disableOOMKiller",
      "linux.resources.blockIO.leafWeight",
      "linux.resources.blockIO.weightDevice",
    ]);
  });

  it("of block I/O are not applied to one container of a pod, and that is said", () => {
    expect(unappliedResources({ blockIO: { throttleReadBpsDevice: [DEVICE] } }, false)).toEqual([
      expect.stringContaining("linux.resources.blockIO is not applied") as string,
    ]);
    expect(unappliedResources({ blockIO: { weight: 0 } }, false)).toEqual([]);
  });

  it("that engines write without being asked are no reason to warn", () => {
    const unasked = {
      memory: { kernel: 0, swappiness: 0, disableOOMKiller: false },
      cpu: { realtimePeriod: 0n },
      blockIO: { weight: 0, weightDevice: [] },
      network: { priorities: [] },
    };
    expect(unappliedResources(unasked as never, true)).toEqual([]);
  });
});
