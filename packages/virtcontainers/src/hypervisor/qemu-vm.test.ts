import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identifyProcess, isAlive, signalProcess } from "@kata-ts/linux";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { VmState } from "../ports/hypervisor.ts";
import type { QemuConfig } from "./qemu-config.ts";
import { QemuVm } from "./qemu-vm.ts";

describe("a VM that ends while something is shared with it", () => {
  let directory = "";

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "qemu-vm-"));
    mkdirSync(join(directory, "shared", "given"), { recursive: true });
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  /** A VM as far as its process goes, and a way to end it that returns when it is dead. */
  function vmOf(): { readonly vm: QemuVm; readonly end: () => void } {
    const qemu = identifyProcess(spawn("sleep", ["1000"], { stdio: "ignore" }).pid ?? 0);
    const state = { dir: directory, qemu, processes: [qemu] } as unknown as VmState;
    const end = (): void => {
      signalProcess(qemu, "SIGKILL");
      while (isAlive(qemu));
    };
    return { vm: new QemuVm(state, {} as QemuConfig, undefined), end };
  }

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
