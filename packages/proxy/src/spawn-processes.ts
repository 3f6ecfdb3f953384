import { closeSync } from "node:fs";
import { listenUnix, MountFlag, mount } from "@kata-ts/linux";
import { NetworkNamespace } from "@kata-ts/netns";
import {
  inOwnMountNamespace,
  PreparedQemu,
  spawnTied,
  type TiedProcess,
  type VirtiofsdConfig,
  virtiofsdArgv,
} from "@kata-ts/qemu-driver";
import { copySparse } from "./copy-sparse.ts";
import type { VmSpec } from "./vm-spec.ts";

/** What a VM is on the host. */
export interface Processes {
  readonly qemu: TiedProcess;
  readonly virtiofsd: TiedProcess | undefined;
  /** QEMU's. */
  readonly namespace: NetworkNamespace;
}

/** A helper's first descriptor beside the usual three: virtiofsd's socket. */
const GIVEN_FD = 3;

/** A guest that another's memory is copied for has it in a file without a name, which goes with QEMU. */
export async function spawnProcesses(spec: VmSpec): Promise<Processes> {
  const { memoryImage, confinement } = spec;
  const vm = memoryImage === undefined ? spec.vm : { ...spec.vm, incoming: true };
  const ownMemory = memoryImage !== undefined;
  using qemu = await PreparedQemu.prepare(vm, { ownMemory, ...(confinement === undefined ? {} : { confinement }) });
  if (memoryImage !== undefined && qemu.memory !== undefined) await copySparse(memoryImage, qemu.memory);
  const namespace = NetworkNamespace.open(spec.networkNamespace ?? "/proc/self/ns/net");
  try {
    return { ...namespace.run(() => inOwnMountNamespace(() => spawnBoth(spec, qemu))), namespace };
  } catch (error) {
    namespace[Symbol.dispose]();
    throw error;
  }
}

/**
 * What a container shares is mounted below the shared directory in the mount namespace that QEMU lives in, and nowhere else:
 * the host's mount table never changes, and all of it vanishes with the VM. The shared directory itself is read-only for the
 * guest, which therefore cannot plant anything beside the mounts.
 */
function spawnBoth(spec: VmSpec, prepared: PreparedQemu): Pick<Processes, "qemu" | "virtiofsd"> {
  const { bind, rdonly, remount, shared } = MountFlag;
  mount(spec.sharedDir, spec.sharedDir, null, bind);
  mount("none", spec.sharedDir, null, remount | bind | rdonly);
  mount("none", spec.sharedDir, null, shared); // later mounts reach virtiofsd's own namespace
  const virtiofsd = spec.virtiofsd === undefined ? undefined : spawnVirtiofsd(spec.virtiofsd);
  try {
    return { virtiofsd, qemu: prepared.start({ directory: spec.dir, kept: spec.sharedDir }) };
  } catch (error) {
    virtiofsd?.child.kill("SIGKILL");
    throw error;
  }
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
