import { describe, expect, it } from "vitest";
import { guestResources } from "./guest-resources.ts";
import { hostLimitsOf } from "./host-limits.ts";

const MIB = 1024 * 1024;

describe("a container's limits", () => {
  it("reach the guest without the host's numbers, and without what nobody asked for", () => {
    const asked = {
      cpu: { shares: 0, quota: 50_000, period: 100_000, cpus: "2-3", mems: "1" },
      memory: { limit: 64 * MIB, swap: -1, kernel: 0 },
      pids: { limit: 10 },
    };
    expect(guestResources(asked)).toEqual({
      cpu: { quota: 50_000, period: 100_000 },
      memory: { limit: 64 * MIB, swap: -1 },
      pids: { limit: 10 },
    });
  });

  it("bound the whole VM on the host, with room for what is around the container", () => {
    const asked = { cpu: { shares: 512, quota: 50_000, cpus: "2-3" }, memory: { limit: 64 * MIB } };
    expect(hostLimitsOf(asked, 2560)).toEqual({ memoryBytes: (64 + 2560) * MIB, cpuShares: 512, cpus: "2-3" });
    expect(hostLimitsOf({ memory: { limit: -1 } }, 2560)).toEqual({ memoryBytes: -1 });
    expect(hostLimitsOf({}, 2560)).toEqual({});
  });

  it("do not bound the shim of a container in another one's VM", () => {
    expect(hostLimitsOf({ memory: { limit: 64 * MIB } }, undefined)).toEqual({});
  });
});
