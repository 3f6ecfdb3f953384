import type { StdioOptions } from "node:child_process";
import { closeSync } from "node:fs";
import { createMemoryFile, inNewNamespace, listenUnix, MountFlag, mount } from "@kata-ts/linux";
import { NetworkNamespace } from "@kata-ts/netns";
import { qemuArgv, spawnTied, type TiedProcess, type VirtiofsdConfig, virtiofsdArgv } from "@kata-ts/qemu-driver";
import { copySparse } from "./copy-sparse.ts";
import type { VmSpec } from "./vm-spec.ts";

/** What a VM is on the host. */
export interface Processes {
  readonly qemu: TiedProcess;
  readonly virtiofsd: TiedProcess | undefined;
  /** QEMU's. */
  readonly namespace: NetworkNamespace;
}

/** A helper's first descriptor beside the usual three: QEMU's memory, virtiofsd's socket. */
const GIVEN_FD = 3;

/** A guest that another's memory is copied for has it in a file without a name, which goes with QEMU. */
export async function spawnWithMemory(spec: VmSpec): Promise<Processes> {
  if (spec.memoryImage === undefined) return spawnProcesses(spec);
  const memory = createMemoryFile("guest-memory");
  try {
    await copySparse(spec.memoryImage, memory);
    return spawnProcesses({ ...spec, vm: { ...spec.vm, memoryFd: GIVEN_FD, incoming: true } }, memory);
  } finally {
    closeSync(memory);
  }
}

function spawnProcesses(spec: VmSpec, memory?: number): Processes {
  const namespace = NetworkNamespace.open(spec.networkNamespace ?? "/proc/self/ns/net");
  try {
    return { ...namespace.run(() => spawnInOwnMountNamespace(spec, memory)), namespace };
  } catch (error) {
    namespace[Symbol.dispose]();
    throw error;
  }
}

/**
 * QEMU and virtiofsd live in a mount namespace of their own. What a container shares is mounted there, below the shared
 * directory, and nowhere else: the host's mount table never changes, and all of it vanishes with the VM. The shared
 * directory itself is read-only for the guest, which therefore cannot plant anything beside the mounts.
 */
function spawnInOwnMountNamespace(spec: VmSpec, memory?: number): Pick<Processes, "qemu" | "virtiofsd"> {
  return inNewNamespace("mnt", () => {
    const { bind, rdonly, rec, remount, shared, slave } = MountFlag;
    mount("none", "/", null, rec | slave);
    mount(spec.sharedDir, spec.sharedDir, null, bind);
    mount("none", spec.sharedDir, null, remount | bind | rdonly);
    mount("none", spec.sharedDir, null, shared); // later mounts reach virtiofsd's own namespace
    const virtiofsd = spec.virtiofsd === undefined ? undefined : spawnVirtiofsd(spec.virtiofsd);
    try {
      const descriptors = memory === undefined ? [] : [memory];
      const stdio: StdioOptions = ["ignore", "pipe", "pipe", ...descriptors];
      // Over 9p it is QEMU itself that gives files their owners.
      const withoutCapabilities = spec.vm.share9p === undefined;
      return { virtiofsd, qemu: spawnTied(spec.vm.qemuPath, qemuArgv(spec.vm), stdio, { withoutCapabilities }) };
    } catch (error) {
      virtiofsd?.child.kill("SIGKILL");
      throw error;
    }
  });
}

/** QEMU is all that ever connects to it. */
function spawnVirtiofsd(config: VirtiofsdConfig): TiedProcess {
  const socket = listenUnix(config.socket, 1);
  try {
    const argv = virtiofsdArgv({ ...config, listenFd: GIVEN_FD });
    return spawnTied(config.path, argv, ["ignore", "ignore", "pipe", socket]);
  } finally {
    closeSync(socket);
  }
}
