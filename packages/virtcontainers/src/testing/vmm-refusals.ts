import { deepEqual, ok, rejects } from "node:assert/strict";
import { readdir } from "node:fs/promises";
import type { VmCapabilities, VmCapability } from "../ports/capabilities.ts";
import type { Vmm } from "../ports/vmm.ts";
import { VmmHypervisor } from "../vm/vmm-hypervisor.ts";
import type { ComplianceCase } from "./compliance.ts";
import { type VmmUnderTest, withVm } from "./vmm-under-test.ts";

const UNSUPPORTED = { name: "KataError", code: "KATA_UNSUPPORTED" } as const;
const CARD = { kind: "vfio", pciAddress: "0000:00:1f.7" } as const;

/** How a capability that a monitor denies shows. Those of which it is configured, or not, have no rule here. */
const DENIED: Partial<Record<VmCapability, ComplianceCase<VmmUnderTest>>> = {
  nicHotplug: {
    rule: "refuses a network card, and goes on",
    check: async (under) => {
      await withVm(under.vmm, {}, async (vm) => {
        await using nic = await under.nic();
        await rejects(vm.plugNic("nic1", nic.backend), { ...UNSUPPORTED, message: /nic1 .*network cards/ });
        ok(vm.isRunning());
      });
    },
  },
  deviceAssignment: {
    rule: "refuses a device of the host's, and goes on",
    check: async ({ vmm }) => {
      await withVm(vmm, {}, async (vm) => {
        await rejects(vm.plugNic("nic1", CARD), { ...UNSUPPORTED, message: /nic1 .*devices of the host's/ });
        ok(vm.isRunning());
      });
    },
  },
  diskHotplug: {
    rule: "refuses a disk, and has none to give back",
    check: async (under) => {
      await withVm(under.vmm, {}, async (vm) => {
        await using disk = await under.disk();
        await rejects(vm.plugDisk("a", disk.path), { ...UNSUPPORTED, message: /block devices/ });
        await vm.unplugDisk("a");
        ok(vm.isRunning());
      });
    },
  },
  memoryHotplug: {
    rule: "has memory that is known before the boot at boot, and refuses more than it has",
    check: async ({ vmm }) => {
      const growth = { vcpus: 0, memoryMiB: 128 };
      await withVm(vmm, { growth }, async (vm) => {
        deepEqual(await vm.grow(growth), { vcpus: 0, memoryMiB: 0 });
        const most = vmm.size.memoryMiB + growth.memoryMiB;
        deepEqual(await vm.grow({ vcpus: 0, memoryMiB: most }), { vcpus: 0, memoryMiB: 0 });
        await rejects(vm.grow({ vcpus: 0, memoryMiB: most + 1 }), { ...UNSUPPORTED, message: /^limits of .*memory/ });
        ok(vm.isRunning());
      });
    },
  },
  saveRestore: {
    rule: "refuses to clone, before a VM's directory is made",
    check: async ({ vmm }) => {
      const before = await directories(vmm);
      const templates = { find: async () => undefined, noteUse: async () => undefined };
      const factory = { templates, connectAgent: () => Promise.reject(new Error()) as never, warn: () => undefined };
      const hypervisor = new VmmHypervisor({ vmm, factory });
      await rejects(hypervisor.boot({ sandboxId: "compliance" }), { ...UNSUPPORTED, message: /template.*saved/ });
      deepEqual(await directories(vmm), before);
    },
  },
};

/** The rules for what a monitor lacks. */
export function refusals(capabilities: VmCapabilities): readonly ComplianceCase<VmmUnderTest>[] {
  return Object.entries(DENIED).flatMap(([name, rule]) => (capabilities[name as VmCapability] ? [] : [rule]));
}

async function directories({ settings }: Vmm): Promise<readonly string[]> {
  return readdir(settings.vmRoot).catch(() => []);
}
