import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { specToMessage } from "@kata-ts/agent-protocol";
import { defaultQemuConfig, defaultSpec, QemuHypervisor } from "@kata-ts/virtcontainers";
import { agentCompliance, hypervisorCompliance } from "@kata-ts/virtcontainers/testing";
import { describe, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { BareGuest } from "../harness/guest.ts";
import { busyboxRootfs } from "../harness/images.ts";
import { DIST, SHARE } from "../harness/paths.ts";

const assets = { kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4") };
const config = { ...defaultQemuConfig, ...assets, maxVcpus: 2 };

// The same rules that the fakes keep.
describe("QEMU with its watchman in this process", () => {
  expectCleanHost();

  it.each(hypervisorCompliance)("$rule", async ({ check }) => {
    await check(new QemuHypervisor({ config }));
  });
});

describe("QEMU with kata-proxy", () => {
  expectCleanHost();

  it.each(hypervisorCompliance)("$rule", async ({ check }) => {
    await check(new QemuHypervisor({ config, proxyPath: join(DIST, "libexec", "kata-ts", "kata-proxy") }));
  });
});

describe("the agent in its guest", () => {
  expectCleanHost();

  it.each(agentCompliance)("$rule", async ({ check }) => {
    const path = mkdtempSync("/run/kata-e2e-share-");
    cpSync(await busyboxRootfs(), join(path, "rootfs"), { recursive: true, verbatimSymlinks: true });
    const tag = "kataShared";
    await using guest = new BareGuest({ share9p: { path, tag } });
    guest.onEnd(() => {
      rmSync(path, { recursive: true });
    });
    using agent = await guest.connect();
    const mount_point = "/run/kata-containers/shared/containers";
    const options = ["trans=virtio,version=9p2000.L,msize=512000", "nodev"];
    const OCI = specToMessage({
      ...defaultSpec({ args: ["sleep", "1000"] }),
      root: { path: `${mount_point}/rootfs`, readonly: true },
    });
    await check({
      agent,
      sandbox: { sandbox_id: "s", storages: [{ driver: "9p", source: tag, fstype: "9p", options, mount_point }] },
      container: (container_id) => ({ container_id, exec_id: container_id, OCI }),
    });
  });
});
