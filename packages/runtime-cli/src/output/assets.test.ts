import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ContainerRecord } from "@kata-ts/virtcontainers/records";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { assetsView } from "./assets.ts";

const LATEST = { qemuPath: "/new/qemu", kernelPath: "/new/vmlinux", imagePath: "/new/rootfs" };

describe("the files that a VM was made of", () => {
  let dir = "";

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "assets-"));
  });

  afterEach(() => {
    rmSync(dir, { recursive: true });
  });

  function view(spec: string): ReturnType<typeof assetsView> {
    writeFileSync(join(dir, "spec.json"), spec);
    return assetsView({ vm: { dir } } as unknown as ContainerRecord, LATEST);
  }

  it("are those of its description", () => {
    const files = { monitor: "/old/qemu", kernel: "/old/vmlinux", image: "/old/rootfs" };
    const { currentHypervisor, StaleAssets } = view(JSON.stringify({ machine: { files } }));
    expect(currentHypervisor.hypervisorAsset.path).toBe("/old/qemu");
    expect(currentHypervisor.kernelAsset.path).toBe("/old/vmlinux");
    expect(StaleAssets).toEqual(["/old/vmlinux", "/old/rootfs"]);
  });

  it("are known of a VM that an earlier release has started", () => {
    const vm = { qemuPath: "/old/qemu", kernelPath: "/old/vmlinux", imagePath: "/old/rootfs" };
    expect(view(JSON.stringify({ vm })).StaleAssets).toEqual(["/old/vmlinux", "/old/rootfs"]);
  });

  it.each([
    "{",
    "null",
    "{}",
    '{"vm":{"qemuPath":1,"kernelPath":2,"imagePath":3}}',
    '{"machine":{"files":{"kernel":2}}}',
  ])("are unknown where the description is %s", (spec) => {
    const { currentHypervisor, StaleAssets } = view(spec);
    expect([currentHypervisor.kernelAsset.path, StaleAssets]).toEqual(["", null]);
  });
});
