import { closeSync } from "node:fs";
import { inOwnMountNamespace, listenUnix, MountFlag, mount, spawnTied, type TiedProcess } from "@kata-ts/linux";
import { NetworkNamespace } from "@kata-ts/netns";
import { copySparse } from "./copy-sparse.ts";
import type { MachineLauncher, PreparedMachine } from "./machine-launcher.ts";
import { type VirtiofsdConfig, virtiofsdArgv } from "./virtiofsd.ts";
import type { VmSpec } from "./vm-spec.ts";
import type { Vsock } from "./vsock-device.ts";

/** What a VM is on the host. */
export interface Processes {
  readonly vmm: TiedProcess;
  readonly virtiofsd: TiedProcess | undefined;
  /** The monitor's; undefined where it is not confined. */
  readonly user: number | undefined;
  /** The monitor's. */
  readonly namespace: NetworkNamespace;
}

/** A helper's first descriptor beside the usual three: virtiofsd's socket. */
const GIVEN_FD = 3;

/** A guest that another's memory is copied for has it in a file without a name, which goes with the monitor. */
export async function spawnProcesses(
  spec: VmSpec,
  launch: MachineLauncher,
  vsock: Vsock | undefined,
): Promise<Processes> {
  const { memoryImage, memoryImageStays = false } = spec;
  using machine = await launch(spec.machine.config, {
    isClone: memoryImage !== undefined,
    memoryImage: memoryImageStays ? memoryImage : undefined,
    vsock: vsock?.device,
  });
  if (memoryImage !== undefined && machine.memory !== undefined) await copySparse(memoryImage, machine.memory);
  const namespace = NetworkNamespace.open(spec.networkNamespace ?? "/proc/self/ns/net");
  try {
    return {
      ...namespace.run(() => inOwnMountNamespace(() => spawnBoth(spec, machine))),
      user: machine.user,
      namespace,
    };
  } catch (error) {
    namespace[Symbol.dispose]();
    throw error;
  }
}

/**
 * What a container shares is mounted below the shared directory in the mount namespace that the monitor lives in, and nowhere else:
 * the host's mount table never changes, and all of it vanishes with the VM. The shared directory itself is read-only for the
 * guest, which therefore cannot plant anything beside the mounts.
 */
function spawnBoth(spec: VmSpec, prepared: PreparedMachine): Pick<Processes, "vmm" | "virtiofsd"> {
  const { bind, rdonly, remount, shared } = MountFlag;
  mount(spec.sharedDir, spec.sharedDir, null, bind);
  mount("none", spec.sharedDir, null, remount | bind | rdonly);
  mount("none", spec.sharedDir, null, shared); // later mounts reach virtiofsd's own namespace
  const virtiofsd = spec.virtiofsd === undefined ? undefined : spawnVirtiofsd(spec.virtiofsd);
  try {
    return { virtiofsd, vmm: prepared.start({ directory: spec.dir, kept: spec.sharedDir }) };
  } catch (error) {
    virtiofsd?.child.kill("SIGKILL");
    throw error;
  }
}

/** The monitor is all that ever connects to it. */
function spawnVirtiofsd(config: VirtiofsdConfig): TiedProcess {
  const socket = listenUnix(config.socket, 1);
  try {
    const argv = virtiofsdArgv({ ...config, listenFd: GIVEN_FD });
    return spawnTied(config.path, argv, ["ignore", "ignore", "pipe", socket]);
  } finally {
    closeSync(socket);
  }
}
