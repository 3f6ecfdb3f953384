import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AgentClient, type grpc, isEndOfStream, specToMessage } from "@kata-ts/agent-protocol";
import { SHARED_TREE_PATH, SHARED_TREE_TAG } from "@kata-ts/agent-protocol/guest-contract";
import type { VmConfig } from "@kata-ts/qemu-driver";
import { defaultSpec } from "@kata-ts/virtcontainers";
import { BareGuest } from "./guest.ts";
import { busyboxRootfs } from "./images.ts";

/** Where the guest has the busybox root file system that is shared with it. */
export const ROOTFS = `${SHARED_TREE_PATH}/rootfs`;

export const SHARE: grpc.Storage.$Properties = {
  driver: "9p",
  source: SHARED_TREE_TAG,
  fstype: "9p",
  options: ["trans=virtio,version=9p2000.L,msize=512000", "nodev"],
  mount_point: SHARED_TREE_PATH,
};

/** A guest that is given a root file system over 9p. */
export async function guestWithRootfs(change: Partial<VmConfig> = {}): Promise<BareGuest> {
  const path = mkdtempSync("/run/kata-e2e-share-");
  cpSync(await busyboxRootfs(), join(path, "rootfs"), { recursive: true, verbatimSymlinks: true });
  writeFileSync(join(path, "hello"), "over 9p\n");
  const guest = new BareGuest({ share9p: { path, tag: SHARED_TREE_TAG }, ...change });
  guest.onEnd(() => {
    rmSync(path, { recursive: true });
  });
  return guest;
}

/** A request to the agent for a container that runs a program. */
export function spec(args: readonly string[]): ReturnType<typeof specToMessage> {
  const base = defaultSpec({ args });
  return specToMessage({ ...base, root: { path: ROOTFS, readonly: true } });
}

async function readAll(read: AgentClient["readStdout"], id: string, execId: string): Promise<string> {
  let text = "";
  for (;;) {
    try {
      text += Buffer.from((await read({ container_id: id, exec_id: execId, len: 4096 })).data).toString();
    } catch (error) {
      if (isEndOfStream(error)) return text;
      throw error;
    }
  }
}

/** Reads a process to its end. */
export async function output(
  agent: AgentClient,
  id: string,
  execId = id,
): Promise<{ stdout: string; stderr: string; status: number }> {
  const [stdout, stderr] = await Promise.all([
    readAll(agent.readStdout, id, execId),
    readAll(agent.readStderr, id, execId),
  ]);
  return { stdout, stderr, status: (await agent.waitProcess({ container_id: id, exec_id: execId })).status };
}

/** Runs a shell script in a container, to its end. */
export async function exec(
  agent: AgentClient,
  id: string,
  execId: string,
  script: string,
): Promise<{ stdout: string; stderr: string; status: number }> {
  const { Process } = spec(["sh", "-c", script]);
  await agent.execProcess({ container_id: id, exec_id: execId, process: Process ?? null });
  return output(agent, id, execId);
}

export async function startedSandbox(agent: AgentClient, sharePid = false): Promise<void> {
  await agent.createSandbox({ hostname: "pod", sandbox_id: "s", sandbox_pidns: sharePid, storages: [SHARE] });
}

export async function startContainer(
  agent: AgentClient,
  id: string,
  args: readonly string[],
  sharePid = false,
): Promise<void> {
  await agent.createContainer({ container_id: id, exec_id: id, OCI: spec(args), sandbox_pidns: sharePid });
  await agent.startContainer({ container_id: id });
}
