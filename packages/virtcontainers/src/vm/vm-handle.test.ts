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
