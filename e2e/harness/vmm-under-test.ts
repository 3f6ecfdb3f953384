import { closeSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connectAgent } from "@kata-ts/agent-protocol";
import { inNamespace, openTap } from "@kata-ts/linux";
import { NetworkNamespace } from "@kata-ts/netns";
import type { Vmm } from "@kata-ts/virtcontainers";
import type { HostDisk, HostNic, VmmUnderTest } from "@kata-ts/virtcontainers/testing";
import { execa } from "execa";

const BOOT_MS = 60_000;
const DISK_BYTES = 1024 * 1024;

let serial = 0;

/** A real monitor with what its machines are given: taps in namespaces of their own, loop devices. */
export function vmmUnderTest(vmm: Vmm): VmmUnderTest {
  return {
    vmm,
    ready: async ({ state }) => {
      using agent = connectAgent(state.agentUrl);
      await agent.check({}, { waitForReady: true, deadlineMs: BOOT_MS });
    },
    nic,
    disk,
  };
}

async function nic(): Promise<HostNic> {
  serial += 1;
  const mac = `02:00:00:00:01:${serial.toString(16).padStart(2, "0")}`;
  const namespace = NetworkNamespace.create();
  const queues = inNamespace("net", namespace.path, () => openTap("tap0", { queues: 1 }));
  return {
    backend: { kind: "tap", mac, queues },
    [Symbol.asyncDispose]: async () => {
      for (const queue of queues) closeSync(queue);
      namespace[Symbol.dispose]();
    },
  };
}

async function disk(): Promise<HostDisk> {
  const directory = mkdtempSync("/run/kata-e2e-disk-");
  const file = join(directory, "disk");
  writeFileSync(file, "");
  truncateSync(file, DISK_BYTES);
  const { stdout: path } = await execa("losetup", ["--find", "--show", file]);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await execa("losetup", ["--detach", path]);
      rmSync(directory, { recursive: true });
    },
  };
}
