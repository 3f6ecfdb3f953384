import { equal, ok, rejects } from "node:assert/strict";
import type { Hypervisor } from "../ports/hypervisor.ts";
import type { ComplianceCase } from "./compliance.ts";

const PLAIN = { readonly: false, recursive: true } as const;

/** The rules of Hypervisor and of its VMs. */
export const hypervisorCompliance: readonly ComplianceCase<Hypervisor>[] = [
  {
    rule: "boots a VM that runs until it is stopped, and stops it twice",
    check: async (hypervisor) => {
      const vm = await hypervisor.boot({ sandboxId: "compliance" });
      ok(vm.isRunning());
      await vm.stop();
      ok(!vm.isRunning());
      await vm.ended;
      await vm.stop();
    },
  },
  {
    rule: "finds a VM again by its state, and can end it so",
    check: async (hypervisor) => {
      const vm = await hypervisor.boot({ sandboxId: "compliance" });
      const state: unknown = JSON.parse(JSON.stringify(vm.state));
      const again = hypervisor.reopen(state as typeof vm.state);
      ok(again.isRunning());
      await again.stop();
      ok(!vm.isRunning());
      await vm.ended;
      await vm.stop();
    },
  },
  {
    rule: "tells when a VM dies by itself",
    check: async (hypervisor) => {
      const vm = await hypervisor.boot({ sandboxId: "compliance" });
      process.kill(vm.state.qemu.pid, "SIGKILL");
      await vm.ended;
      ok(!vm.isRunning());
      await rejects(vm.share("/etc/hostname", "x", PLAIN), { code: "KATA_VM_GONE" });
      await vm.stop();
    },
  },
  {
    rule: "shares host files under names, and takes them back twice",
    check: async (hypervisor) => {
      const vm = await hypervisor.boot({ sandboxId: "compliance" });
      try {
        const path = await vm.share("/etc/hostname", "c/mounts/0", PLAIN);
        ok(path.endsWith("/c/mounts/0"));
        await vm.share("/etc", "c/rootfs", { readonly: true, recursive: true });
        await vm.unshare("c/mounts/0");
        await vm.unshare("c/mounts/0");
        equal(vm.isRunning(), true);
      } finally {
        await vm.stop();
      }
    },
  },
];
