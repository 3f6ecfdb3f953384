import { deepEqual, equal, ok } from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VmCapabilities, VmCapability } from "../ports/capabilities.ts";
import type { Vmm } from "../ports/vmm.ts";
import type { SavedGuest } from "../template/saved-guest.ts";
import { createVmDirectory, removeVmDirectory, vmDirectory } from "../vm/vm-directory.ts";
import { VmmHypervisor } from "../vm/vmm-hypervisor.ts";
import type { ComplianceCase } from "./compliance.ts";
import { FakeAgent } from "./fake-agent.ts";
import { refusals } from "./vmm-refusals.ts";
import { type VmmUnderTest, withMachine, withVm } from "./vmm-under-test.ts";

interface Rule extends ComplianceCase<VmmUnderTest> {
  /** Kept by monitors that have this capability. */
  readonly needs?: VmCapability;
}

const DISK = { readonly: false, index: 0 } as const;

const RULES: readonly Rule[] = [
  {
    rule: "identifies the machines of one configuration by plain values, and by files that are there",
    check: async ({ vmm }) => {
      const identity = vmm.identify(await vmm.accelerator());
      deepEqual(JSON.parse(JSON.stringify(identity)), identity);
      for (const file of identity.files) ok(existsSync(file), file);
    },
  },
  {
    rule: "describes machines by plain values, which differ by name and directory alone",
    check: async ({ vmm }) => {
      const accelerator = await vmm.accelerator();
      const described = (at: string): string =>
        JSON.stringify(vmm.describe({ name: `machine-${at}`, directory: vmDirectory(`/run/vms/${at}`) }, accelerator));
      ok(described("a1").includes("/run/vms/a1/"));
      equal(
        described("a1").replaceAll("/run/vms/a1", "/run/vms/b2").replaceAll("machine-a1", "machine-b2"),
        described("b2"),
      );
    },
  },
  {
    rule: "grows a machine that is known by its recorded state alone, once",
    needs: "memoryHotplug",
    check: async ({ vmm }) => {
      await withVm(vmm, {}, async (vm) => {
        deepEqual(await vm.grow({ vcpus: 0, memoryMiB: 128 }), { vcpus: 0, memoryMiB: 128 });
        const recorded: unknown = JSON.parse(JSON.stringify(vm.state));
        const again = await vmm.machine(recorded as typeof vm.state);
        deepEqual(await again.grow({ vcpus: 0, memoryMiB: 128 }), { vcpus: 0, memoryMiB: 0 });
      });
    },
  },
  {
    rule: "takes network cards, each at a place of its own, and gives the place of one that has gone to the next",
    needs: "nicHotplug",
    check: async (under) => {
      await withMachine(under, async (machine) => {
        await using one = await under.nic();
        await using two = await under.nic();
        await using three = await under.nic();
        const first = await machine.plugNic("nic1", one.backend);
        const second = await machine.plugNic("nic2", two.backend);
        ok(first.where !== second.where);
        await machine.unplugNic(first.handle);
        await machine.unplugNic(first.handle);
        equal((await machine.plugNic("nic3", three.backend)).where, first.where);
      });
    },
  },
  {
    rule: "takes disks of several owners, and gives back all of one's, twice",
    needs: "diskHotplug",
    check: async (under) => {
      await withMachine(under, async (machine) => {
        await using one = await under.disk();
        await using two = await under.disk();
        const first = await machine.plugDisk("a", one.path, DISK);
        const second = await machine.plugDisk("b", two.path, DISK);
        ok(first.where !== second.where);
        await machine.unplugDisks("a");
        await machine.unplugDisks("a");
        equal((await machine.plugDisk("a", one.path, { ...DISK, readonly: true })).where, first.where);
      });
    },
  },
  {
    rule: "saves a guest, and restores it in another machine, where it goes on",
    needs: "saveRestore",
    check: async (under) => {
      const path = await mkdtemp(join(tmpdir(), "vmm-compliance-"));
      try {
        const saved = { path, memory: join(path, "memory"), state: join(path, "state") };
        await save(under.vmm, saved);
        await restore(under, saved);
      } finally {
        await rm(path, { recursive: true });
      }
    },
  },
];

/** The rules of Vmm and of its machines: of what these capabilities promise, and of what they deny. */
export function vmmCompliance(capabilities: VmCapabilities): readonly ComplianceCase<VmmUnderTest>[] {
  return [...RULES.filter(({ needs }) => needs === undefined || capabilities[needs]), ...refusals(capabilities)];
}

async function save(vmm: Vmm, saved: SavedGuest): Promise<void> {
  const directory = await createVmDirectory(vmm.settings.vmRoot, {});
  try {
    await using machine = await vmm.startToSave({ name: "to-save", directory }, await vmm.accelerator());
    await machine.save(saved);
    ok(existsSync(saved.memory) && existsSync(saved.state));
  } finally {
    await removeVmDirectory(directory.path);
  }
}

/** As VMs are cloned, with an agent that takes random numbers before the guest's own is up. */
async function restore(under: VmmUnderTest, saved: SavedGuest): Promise<void> {
  const { vmm } = under;
  const problems: string[] = [];
  const factory = {
    templates: { find: async () => saved, noteUse: async () => undefined },
    connectAgent: () => new FakeAgent().connect(),
    warn: (problem: string) => problems.push(problem),
  };
  const vm = await new VmmHypervisor({ vmm, factory }).boot({ sandboxId: "compliance" });
  try {
    deepEqual(problems, []);
    ok(vm.answered);
    await under.ready(vm);
    ok(vm.isRunning());
  } finally {
    await vm.stop();
  }
}
