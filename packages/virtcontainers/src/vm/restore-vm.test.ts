import { expect, it } from "vitest";
import { KataError } from "../errors.ts";
import { FakeMachine } from "../testing/fake-machine.ts";
import { NO_PROCESS } from "./recorded-state.ts";
import { restoreVm } from "./restore-vm.ts";

const SAID = ["qemu-system-x86_64: warning: an old machine", "qemu-system-x86_64: -device: no such disk"];
const state = { dir: "/vm/a", agentUrl: "", processes: [], vmm: NO_PROCESS, accelerator: "tcg" };
const guest = { path: "/s", memory: "/s/memory", state: "/s/state" };
const disk = { owner: "a", index: 0, where: "02/00", readonly: false, path: "/s/disk" };

/** A VM that takes no disk. */
function vmWith({ hasEnded }: { readonly hasEnded: boolean }): Parameters<typeof restoreVm>[0] {
  const exit = { reason: "qemu-exited", phase: "qemu", exitCode: 1, signal: null, stderr: SAID, console: [] } as const;
  return {
    state,
    ended: hasEnded ? Promise.resolve(exit) : new Promise(() => undefined),
    isRunning: () => !hasEnded,
    plugDisk: () => Promise.reject(new KataError("KATA_UNSUPPORTED", "it takes no disk")),
    plugSharedTree: () => Promise.resolve(undefined),
    share: () => Promise.reject(new Error("nothing is shared")),
  };
}

it.each([
  [true, { code: "KATA_SNAPSHOT", message: `the VM in /vm/a could not be restored: ${String(SAID[1])}` }],
  [false, { code: "KATA_UNSUPPORTED", message: "it takes no disk" }],
])("says what its monitor has said, if that has ended (%s)", async (hasEnded, error) => {
  const source = { guest, disks: [disk], growth: { vcpus: 0, memoryMiB: 0 }, connectAgent: () => expect.unreachable() };
  await expect(restoreVm(vmWith({ hasEnded }), new FakeMachine(), source, {})).rejects.toMatchObject(error);
});
