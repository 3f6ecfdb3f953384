import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identifyProcess, isAlive, signalProcess } from "@kata-ts/linux";
import { VmFile } from "@kata-ts/proxy";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { VmState } from "../ports/hypervisor.ts";
import { defaultQemuConfig } from "../vmm-qemu/qemu-config.ts";
import { QemuVmm } from "../vmm-qemu/qemu-vmm.ts";
import { VmHandle } from "./vm-handle.ts";
import { writeOwner } from "./vm-owner.ts";

describe("a VM that ends while something is shared with it", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "vm-handle-"));
    mkdirSync(join(directory, "shared", "given"), { recursive: true });
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** A VM as far as its process goes, and a way to end it that returns when it is dead. */
  function vmOf(): { readonly vm: VmHandle; readonly end: () => void } {
    const vmm = identifyProcess(spawn("sleep", ["1000"], { stdio: "ignore" }).pid ?? 0);
    const state = { dir: directory, vmm, processes: [vmm] } as unknown as VmState;
    const end = (): void => {
      signalProcess(vmm, "SIGKILL");
      while (isAlive(vmm));
    };
    return { vm: new VmHandle(state, new QemuVmm({ ...defaultQemuConfig, kernelPath: "", imagePath: "" })), end };
  }

  it.each(["{}", "null", '{"reason":"qemu-exited"}'])("has no exit where the record of it is %s", async (text) => {
    const { vm, end } = vmOf();
    end();
    writeFileSync(join(directory, VmFile.exit), text);
    expect(await vm.exit()).toBeUndefined();
  });

  it("says so", async () => {
    const { vm, end } = vmOf();
    const sharing = vm.share(directory, "mine", { readonly: false, recursive: false });
    end();
    await expect(sharing).rejects.toMatchObject({
      code: "KATA_VM_GONE",
      message: `cannot share ${directory}: the VM has ended`,
    });
  });

  it("has nothing left to be taken away", async () => {
    const { vm, end } = vmOf();
    const unsharing = vm.unshare("given");
    end();
    await unsharing;
  });
});

it("a VM that was let go of is changed and ended no more through what has let go of it", async () => {
  const directory = mkdtempSync(join(tmpdir(), "vm-handle-"));
  try {
    await writeOwner(directory, { sandboxId: "other" });
    const vmm = identifyProcess(process.pid);
    const state = { dir: directory, vmm, processes: [vmm] } as unknown as VmState;
    const nothing = (): void => undefined;
    const supervisor = { ended: new Promise<undefined>(nothing), commit: nothing, unref: nothing };
    const machine = new QemuVmm({ ...defaultQemuConfig, kernelPath: "", imagePath: "" });
    const vm = new VmHandle(state, machine, {
      supervisor: { ...supervisor, letGo: () => Promise.resolve(), stop: () => Promise.resolve() },
    });
    await vm.detach("for the next");
    const refusal = { code: "KATA_STATE", message: expect.stringContaining("was let go of") as string };
    await expect(vm.plugDisk("web", "/dev/null")).rejects.toMatchObject(refusal);
    await expect(vm.plugNic("eth0", { kind: "tap", fds: [], mac: "" } as never)).rejects.toMatchObject(refusal);
    await expect(vm.share(directory, "mine", { readonly: false, recursive: false })).rejects.toMatchObject(refusal);
    await expect(vm.stop()).rejects.toMatchObject(refusal);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
