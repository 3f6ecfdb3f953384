import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { specToMessage } from "@kata-ts/agent-protocol";
import { defaultQemuConfig, defaultSpec, HostCgroups, QemuVmm, VmmHypervisor } from "@kata-ts/virtcontainers";
import {
  agentCompliance,
  cgroupsCompliance,
  detachingCompliance,
  hypervisorCompliance,
  vmmCompliance,
} from "@kata-ts/virtcontainers/testing";
import { describe, expect, it } from "vitest";
import { expectCleanHost } from "../harness/clean-host.ts";
import { BareGuest } from "../harness/guest.ts";
import { busyboxRootfs } from "../harness/images.ts";
import { DIST, SHARE } from "../harness/paths.ts";
import { vmmUnderTest } from "../harness/vmm-under-test.ts";

const assets = { kernelPath: join(SHARE, "vmlinux"), imagePath: join(SHARE, "rootfs.ext4") };
const config = { ...defaultQemuConfig, ...assets, maxVcpus: 2 };

// The same rules that the fakes keep.
describe("QEMU with its supervisor in this process", () => {
  expectCleanHost();

  it.each([...hypervisorCompliance, ...detachingCompliance])("$rule", async ({ check }) => {
    await check(new VmmHypervisor({ vmm: new QemuVmm(config) }));
  });
});

describe("QEMU's machine", () => {
  expectCleanHost();

  const vmm = new QemuVmm(config);

  it.each(vmmCompliance(vmm.capabilities))("$rule", async ({ check }) => {
    await check(vmmUnderTest(vmm));
  });
});

describe("QEMU with kata-proxy", () => {
  expectCleanHost();

  it.each([...hypervisorCompliance, ...detachingCompliance])("$rule", async ({ check }) => {
    await check(
      new VmmHypervisor({ vmm: new QemuVmm(config), proxyPath: join(DIST, "libexec", "kata-ts", "kata-proxy") }),
    );
  });
});

describe("the host's cgroups", () => {
  expectCleanHost();

  it.each(cgroupsCompliance)("$rule", async ({ check }) => {
    const warnings: string[] = [];
    await check({
      cgroups: new HostCgroups((message) => warnings.push(message)),
      path: `/kata-e2e-compliance-${String(process.pid)}/a`,
      processesIn: ({ directories }) => {
        const [first] = directories.filter((directory) => existsSync(directory));
        if (first === undefined) return undefined;
        const pids = readFileSync(join(first, "cgroup.procs"), "latin1").split("\n");
        return pids.filter((pid) => pid !== "").map(Number);
      },
    });
    expect(warnings).toEqual([]);
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
