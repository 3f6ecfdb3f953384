import { describe, expect, it } from "vitest";
import { hostLimitsOf } from "./host-limits.ts";

const MIB = 1024 * 1024;
const OVERHEAD = { memoryMiB: 2560, cpus: 2 };

describe("a container's limits on the host", () => {
  it("bound the whole VM, with room for what is around the container", () => {
    const asked = {
      cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: "2-3" },
      memory: { limit: 64 * MIB },
      pids: { limit: 10 },
    };
    expect(hostLimitsOf(asked, OVERHEAD)).toEqual({
      memoryBytes: (64 + 2560) * MIB,
      cpuShares: 512,
      // Half a processor, one for the guest, one for its helpers.
      cpuTime: { quota: 250_000, period: 100_000 },
      tasks: 10 * 16 + 1024,
      cpus: "2-3",
    });
    expect(hostLimitsOf({}, OVERHEAD)).toEqual({});
  });

  it("are taken away by -1, and are none by 0", () => {
    const none = { memory: { limit: -1 }, cpu: { quota: -1 }, pids: { limit: -1 } };
    const taken = { memoryBytes: -1, cpuTime: { quota: -1, period: 100_000 }, tasks: -1 };
    expect(hostLimitsOf(none, OVERHEAD)).toEqual(taken);
    expect(hostLimitsOf({ memory: { limit: 0 }, cpu: { quota: 0 }, pids: { limit: 0n } }, OVERHEAD)).toEqual({});
  });

  it("of block I/O are the host's: its devices, by its numbers", () => {
    const device = { major: 8, minor: 16, rate: 1_048_576n };
    const blockIO = {
      weight: 300,
      throttleReadBpsDevice: [device],
      throttleWriteIOPSDevice: [{ ...device, rate: 10 }],
    };
    expect(hostLimitsOf({ blockIO }, OVERHEAD).blockIo).toEqual({
      weight: 300,
      throttles: [
        { kind: "readBytes", device: "8:16", perSecond: 1_048_576 },
        { kind: "writeOperations", device: "8:16", perSecond: 10 },
      ],
    });
  });

  it("do not bound the shim of a container in another one's VM", () => {
    expect(hostLimitsOf({ memory: { limit: 64 * MIB } }, undefined)).toEqual({});
  });
});
