import { closeSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type VmCapabilities, type Vmm, VmmHypervisor } from "../src/index.ts";
import { FakeVmm, hypervisorCompliance, type VmmUnderTest, vmmCompliance } from "../src/testing/index.ts";

let vmRoot = "";

beforeEach(() => {
  vmRoot = mkdtempSync(join(tmpdir(), "vmm-"));
});

afterEach(() => {
  rmSync(vmRoot, { recursive: true });
});

function under(vmm: Vmm): VmmUnderTest {
  return {
    vmm,
    ready: async (vm) => {
      expect(vm.isRunning()).toBe(true);
    },
    nic: async () => {
      const queue = openSync("/dev/null", "r+");
      return {
        backend: { kind: "tap", mac: "02:00:00:00:00:01", queues: [queue] },
        [Symbol.asyncDispose]: async () => {
          closeSync(queue);
        },
      };
    },
    disk: async () => ({ path: "/dev/null", [Symbol.asyncDispose]: async () => undefined }),
  };
}

const NOTHING: VmCapabilities = {
  fileSystemHotplug: false,
  nicHotplug: false,
  diskHotplug: false,
  deviceAssignment: false,
  cpuHotplug: false,
  memoryHotplug: false,
  memoryShrink: false,
  saveRestore: false,
  saveRunning: false,
  vsock: false,
  share9p: true,
};

describe("FakeVmm that can everything", () => {
  it.each(vmmCompliance(new FakeVmm({ vmRoot: "" }).capabilities))("$rule", async ({ check }) => {
    await check(under(new FakeVmm({ vmRoot })));
  });
});

describe("FakeVmm that can nothing but 9p", () => {
  it.each(vmmCompliance(NOTHING))("$rule", async ({ check }) => {
    await check(under(new FakeVmm({ vmRoot, lacks: NOTHING })));
  });

  it("is given processors and memory for its first container at boot", async () => {
    const vmm = new FakeVmm({ vmRoot, lacks: NOTHING, size: { vcpus: 1, memoryMiB: 256 } });
    const vm = await new VmmHypervisor({ vmm }).boot({ sandboxId: "a", growth: { vcpus: 2, memoryMiB: 512 } });
    try {
      expect(vmm.booted.get(vm.state.dir)).toEqual({ vcpus: 3, memoryMiB: 768 });
      expect(await vm.grow({ vcpus: 4, memoryMiB: 512 })).toEqual({ vcpus: 0, memoryMiB: 0 });
    } finally {
      await vm.stop();
    }
  });

  it("is not taken from a cache for a container that needs more than its usual size", async () => {
    const vmm = new FakeVmm({ vmRoot, lacks: NOTHING });
    const asked: string[] = [];
    const cache = {
      take: async () => {
        asked.push("taken");
        return undefined;
      },
    };
    const hypervisor = new VmmHypervisor({ vmm, cache });
    await (await hypervisor.boot({ sandboxId: "a", growth: { vcpus: 0, memoryMiB: 1 } })).stop();
    expect(asked).toEqual([]);
    await (await hypervisor.boot({ sandboxId: "a" })).stop();
    expect(asked).toEqual(["taken"]);
  });
});

describe("VMs of any monitor, over FakeVmm", () => {
  it.each(hypervisorCompliance)("$rule", async ({ check }) => {
    await check(new VmmHypervisor({ vmm: new FakeVmm({ vmRoot }) }));
  });
});
