import { deepEqual, equal, ok, rejects } from "node:assert/strict";
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
    rule: "finds all its VMs, with owner and creator, until they are stopped",
    check: async (hypervisor) => {
      const vm = await hypervisor.boot({ sandboxId: "compliance", owner: "/records/a" });
      const here = async () => (await hypervisor.found()).filter(({ state }) => state.dir === vm.state.dir);
      try {
        const [found] = await here();
        ok(found !== undefined);
        equal(found.owner, "/records/a");
        equal(found.creator.pid, process.pid);
        deepEqual(found.state.processes, vm.state.processes);
        await hypervisor.reopen(found.state).stop();
        ok(!vm.isRunning());
        deepEqual(await here(), []);
      } finally {
        await vm.stop();
      }
    },
  },
  {
    rule: "does not let go of a VM that was not booted for it",
    check: async (hypervisor) => {
      const vm = await hypervisor.boot({ sandboxId: "compliance" });
      try {
        await rejects(vm.detach(""), { code: "KATA_UNSUPPORTED" });
        ok(vm.isRunning());
      } finally {
        await vm.stop();
      }
    },
  },
  {
    rule: "tells when a VM dies by itself",
    check: async (hypervisor) => {
      const vm = await hypervisor.boot({ sandboxId: "compliance" });
      process.kill(vm.state.vmm.pid, "SIGKILL");
      await vm.ended;
      ok(!vm.isRunning());
      await rejects(vm.share("/etc/hostname", "x", PLAIN), { code: "KATA_VM_GONE" });
      await vm.stop();
    },
  },
  {
    rule: "shares host files, each once, and takes them back twice",
    check: async (hypervisor) => {
      const vm = await hypervisor.boot({ sandboxId: "compliance" });
      try {
        const path = await vm.share("/etc/hostname", "c/mounts/0", PLAIN);
        equal(await vm.share("/etc/hostname", "other/mounts/0", PLAIN), path);
        await vm.share("/etc", "c/rootfs", { readonly: true, recursive: true });
        await vm.unshare("c/mounts/0");
        await vm.unshare("c/mounts/0");
        equal(vm.isRunning(), true);
      } finally {
        await vm.stop();
      }
    },
  },
  {
    rule: "lives for its members: the last to leave learns that it was the last, and none can join after",
    check: async (hypervisor) => {
      const vm = await hypervisor.boot({ sandboxId: "compliance" });
      try {
        await vm.join("a");
        await hypervisor.reopen(vm.state).join("b");
        deepEqual([...(await vm.members())].sort(), ["a", "b"]);
        equal(await vm.leave("a"), false);
        equal(await vm.leave("a"), false);
        equal(await hypervisor.reopen(vm.state).leave("b"), true);
        equal(await vm.leave("b"), true);
        await rejects(vm.join("c"), { code: "KATA_VM_GONE" });
      } finally {
        await vm.stop();
      }
    },
  },
  {
    rule: "takes back at once all that was shared below a name",
    check: async (hypervisor) => {
      const vm = await hypervisor.boot({ sandboxId: "compliance" });
      try {
        await vm.share("/etc", "c/rootfs", { readonly: true, recursive: true });
        await vm.share("/etc/hostname", "c/mounts/0", PLAIN);
        await vm.unshare("c");
        await vm.unshare("c");
        await vm.share("/etc", "c/rootfs", { readonly: true, recursive: true });
      } finally {
        await vm.stop();
      }
    },
  },
  {
    rule: "grows by what is missing, and tells what the guest has to switch on",
    check: async (hypervisor) => {
      const vm = await hypervisor.boot({ sandboxId: "compliance" });
      try {
        const first = await vm.grow({ vcpus: 0, memoryMiB: 256 });
        deepEqual(first, { vcpus: 0, memoryMiB: 256 });
        const again = await vm.grow({ vcpus: 0, memoryMiB: 256 });
        deepEqual(again, { vcpus: 0, memoryMiB: 0 });
        const more = await vm.grow({ vcpus: 1, memoryMiB: 384 });
        deepEqual(more, { vcpus: 1, memoryMiB: 128 });
        // Whether something is taken away is the machine's business.
        await vm.shrink(256);
      } finally {
        await vm.stop();
      }
    },
  },
];

/** The rules of letting go of VMs, for monitors that the installed kata-proxy knows: it keeps those VMs. */
export const detachingCompliance: readonly ComplianceCase<Hypervisor>[] = [
  {
    rule: "lets go of a VM that was booted for it, and gives it to one of those that take it at once",
    check: async (hypervisor) => {
      const vm = await hypervisor.boot({ sandboxId: "compliance", detachable: true });
      const here = async () => (await hypervisor.found()).find(({ state }) => state.dir === vm.state.dir);
      try {
        await rejects(hypervisor.take(vm.state), { code: "KATA_STATE" });
        await vm.detach("for the next");
        equal((await here())?.detached, "for the next");
        const attempts = await Promise.allSettled([1, 2, 3].map(() => hypervisor.take(vm.state)));
        const taken = attempts.flatMap((attempt) => (attempt.status === "fulfilled" ? [attempt.value] : []));
        equal(taken.length, 1);
        equal((await here())?.detached, undefined);
        await taken[0]?.detach("once more");
        const again = await hypervisor.take(vm.state);
        ok(again.isRunning());
        await again.stop();
        ok(!vm.isRunning());
        await rejects(hypervisor.take(vm.state), { code: "KATA_VM_GONE" });
      } finally {
        await vm.stop();
      }
    },
  },
];
