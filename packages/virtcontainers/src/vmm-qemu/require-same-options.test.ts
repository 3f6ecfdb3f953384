import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { recordBootGrowth } from "../vm/boot-growth.ts";
import { NO_PROCESS } from "../vm/recorded-state.ts";
import { vmDirectory } from "../vm/vm-directory.ts";
import { defaultQemuConfig, type QemuConfig } from "./qemu-config.ts";
import { QemuVmm } from "./qemu-vmm.ts";
import { requireSameOptions } from "./require-same-options.ts";

const CONFIG: QemuConfig = {
  ...defaultQemuConfig,
  ...{ qemuPath: "/q", kernelPath: "/k", imagePath: "/i", initrdPath: "/r", accelerator: "tcg", sharedFs: "none" },
};

let dir = "";

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "kata-options-"));
});

afterEach(() => {
  rmSync(dir, { recursive: true });
});

const state = () => ({ dir, agentUrl: "", processes: [], vmm: NO_PROCESS, accelerator: "tcg" });

it("a configuration is compared with the one that a VM was started with: all that differs is named", async () => {
  await requireSameOptions(state(), CONFIG); // The VM of this program.
  const growth = { vcpus: 1, memoryMiB: 256 };
  await recordBootGrowth(dir, growth);
  const machine = new QemuVmm(CONFIG).describe({ name: "sandbox-a", directory: vmDirectory(dir), growth }, "tcg");
  writeFileSync(join(dir, "spec.json"), JSON.stringify({ dir, machine }));
  await requireSameOptions(state(), CONFIG);
  const changed = requireSameOptions(state(), { ...CONFIG, memoryMiB: 512, sharedFs: "virtio-fs" });
  await expect(changed).rejects.toMatchObject({
    code: "KATA_SNAPSHOT",
    message: expect.stringMatching(
      /is not the one that the VM in .* was started with: .*memoryMiB was "?2304"? and is "?768"?.*savable was true and is absent/,
    ) as unknown,
  });
});
