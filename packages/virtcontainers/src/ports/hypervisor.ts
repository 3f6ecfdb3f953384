import type { grpc } from "@kata-ts/agent-protocol";
import type { ProcessIdentity } from "@kata-ts/linux";
import type { VmExit } from "@kata-ts/proxy";
import type { VmCapabilities } from "./capabilities.ts";
import type { RecordedCgroup } from "./cgroups.ts";
import type { Fingerprint, GoOnOptions, RestoreSource, SavedVm, SaveVmOptions } from "./saved-vm.ts";
import type { ShareOptions } from "./share-options.ts";

export type { ShareOptions } from "./share-options.ts";

/** What a VM may take of the host beside its containers' limits: the guest's own, and its helpers'. */
export interface VmOverhead {
  readonly memoryMiB: number;
  readonly cpus: number;
}

/** What runs virtual machines. A second hypervisor is a second implementation of this. */
export interface Hypervisor {
  readonly overhead: VmOverhead;
  readonly capabilities: VmCapabilities;
  /** Acquires a VM with nothing of a container's in it. On failure nothing is left. */
  boot(request: BootRequest): Promise<Vm>;
  /** The handle of a VM that an earlier process acquired. It may be dead meanwhile. */
  reopen(state: VmState): Vm;
  /**
   * Makes a VM that was let go of by Vm.detach this process's: of all that ask for it, one gets it.
   *
   * @throws KataError KATA_STATE where it belongs to another process, KATA_VM_GONE where it has ended
   */
  take(state: VmState): Promise<Vm>;
  /**
   * What has to be the same for a VM that was saved to be restored: values by the names that errors have for them.
   *
   * @param accelerator of the VM; by default what one would have that was booted now
   */
  fingerprint(accelerator?: string): Promise<Fingerprint>;
  /** All of its VMs on this host, dead or alive, made by any process. */
  found(): Promise<readonly FoundVm[]>;
}

/** A VM that was come across, without a record of it. */
export interface FoundVm {
  /** As far as it can be told: enough to end it. */
  readonly state: VmState;
  /** BootRequest.owner. */
  readonly owner: string | undefined;
  /** BootRequest.sandboxId, where it is recorded. */
  readonly sandboxId?: string | undefined;
  /** The process that made it, and may be about to record it, or that it belongs to since. */
  readonly creator: ProcessIdentity;
  /** It is to wait for a sandbox, and is none itself. */
  readonly cached?: boolean | undefined;
  /** What Vm.detach was given: it belongs to no process. */
  readonly detached?: string | undefined;
}

export interface BootRequest {
  readonly sandboxId: string;
  /** A path that leads to the network namespace which the VM's processes start in; without it the caller's. */
  readonly networkNamespace?: string | undefined;
  /** A resolver in that namespace, which the guest may ask for names over its channel. */
  readonly resolver?: string | undefined;
  /** The container's resolv.conf, on the host: while it names an engine's resolver, the guest may ask that. */
  readonly resolvConf?: string | undefined;
  /** Lead connections to that namespace's loopback to the guest's. */
  readonly forwardLoopback?: boolean | undefined;
  /** Called with each process as it is started, before it has done anything. */
  readonly onProcess?: ((pid: number) => void) | undefined;
  /** The location of the record that will name the VM; without one it belongs to this process. */
  readonly owner?: string | undefined;
  /** VmState.cgroup, for gc, which may find the VM without its record. */
  readonly cgroup?: RecordedCgroup | undefined;
  /** Called after each step: Ports.trace. */
  readonly onStep?: ((step: string) => void) | undefined;
  /** The VM is what this one was when it was saved; its agent has answered then. */
  readonly restore?: RestoreSource | undefined;
  /** What its containers ask for, as far as it is known. A machine that cannot grow has it at boot; others grow later. */
  readonly growth?: VmGrowth | undefined;
  /** Vm.detach can let go of it. */
  readonly detachable?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A VM as it is recorded: enough to find it, to talk to it and to end it. */
export interface VmState {
  /** The VM's own directory on the host. */
  readonly dir: string;
  /** Where its agent is reached. */
  readonly agentUrl: string;
  /** Its processes, the one whose end ends the others first. */
  readonly processes: readonly ProcessIdentity[];
  /** The monitor's process, whose mount namespace holds the shared tree. */
  readonly vmm: ProcessIdentity;
  readonly accelerator: string;
  /** A path that led to its network namespace, where an engine made it. */
  readonly networkNamespace?: string | undefined;
  /** BootRequest.resolvConf. */
  readonly resolvConf?: string | undefined;
  /** The host's cgroups that its processes live in; they go with it. */
  readonly cgroup?: RecordedCgroup | undefined;
}

/** What a VM has beyond its usual size. */
export interface VmGrowth {
  readonly vcpus: number;
  readonly memoryMiB: number;
}

/** The host's end of a network card: queues of a tap, or a whole device of the host's. */
export type NicBackend = TapQueues | PassedDevice;

interface TapQueues {
  readonly kind: "tap";
  readonly mac: string;
  /** Open queues; the monitor gets copies. */
  readonly queues: readonly number[];
  /** As many descriptors of /dev/vhost-net: the host's kernel then moves the frames. */
  readonly vhost?: readonly number[];
}

interface PassedDevice {
  readonly kind: "vfio";
  /** Such as `0000:01:00.0`. */
  readonly pciAddress: string;
}

export interface UnplugOptions {
  /** Milliseconds for the guest. With 0 it is only looked whether it has let go. */
  readonly deadlineMs?: number | undefined;
}

export interface PluggedNic {
  /** What unplugs it. Its form is the monitor's own matter. */
  readonly handle: string;
  /** Where the guest finds it: Kata's "BB/SS", the slots of bridge and device in hex. */
  readonly where: string;
}

/** Where the guest finds a disk, in Kata's words. */
export interface PluggedDisk {
  /** A device of its own, or a unit of an adapter for SCSI. */
  readonly kind: "blk" | "scsi";
  /** As PluggedNic.where, or SCSI id and unit: "0:0". */
  readonly where: string;
}

export interface DiskOptions {
  readonly readonly?: boolean | undefined;
  /** Which of the container's disks it is; 0, its root file system, by default. */
  readonly index?: number | undefined;
  /** PluggedDisk.where of a machine that this one is to be restored from; by default any place that is free. */
  readonly where?: string | undefined;
}

export interface Vm {
  readonly state: VmState;
  readonly capabilities: VmCapabilities;
  /** Resolves when the VM ends; only for a VM that this process acquired. */
  readonly ended: Promise<VmExit | undefined>;
  /** Its agent has answered: no call need wait for it to boot. */
  readonly answered: boolean;
  isRunning(): boolean;
  /** Called once for a VM that was booted, when its agent has answered or when it will not any more. Never rejects. */
  noteBoot(cameUp: boolean): Promise<void>;
  /** From now on the VM outlives this process. */
  commit(): void;
  /**
   * Keeps room for what `detach` records, while nothing has been let go of yet. Again is fine.
   *
   * @param note no shorter than that of `detach`; @throws where the host has no room for it
   */
  prepareDetach(note: string): Promise<void>;
  /**
   * Lets go of a VM that was booted to be `detachable`, or was taken: it lives on, and belongs to no process until one takes it. It
   * does as soon as this resolves, and not before `note` is recorded.
   *
   * @param note for the one that takes it; @throws KataError KATA_UNSUPPORTED, KATA_VM_GONE
   */
  detach(note: string): Promise<void>;
  /** From now on nothing of the VM keeps this process running, which ends the VM as before. */
  unref(): void;
  /** Makes a container one of those that it lives for. @throws KataError KATA_VM_GONE when the last one has left */
  join(containerId: string): Promise<void>;
  /** Idempotent. @returns whether it was the last: the VM is to be stopped, and no container can join any more */
  leave(containerId: string): Promise<boolean>;
  members(): Promise<readonly string[]>;
  /**
   * Plugs in what is missing to have this much more than usual; nothing is taken away.
   *
   * @throws KataError KATA_UNSUPPORTED for more memory than a machine that cannot grow has in all
   * @returns what was plugged in, for the guest to switch on; as many processors as there is room for
   */
  grow(wanted: VmGrowth): Promise<VmGrowth>;
  /**
   * Asks the guest for what it has beyond this much more memory than at boot, where memory can be taken away. Does not wait
   * for it: a guest gives what it can free.
   */
  shrink(memoryMiB: number): Promise<void>;
  /** Whether the guest sees files and directories of the host's: see share. */
  readonly sharesFiles: boolean;
  /** Plugs the shared tree in; returns what the guest has to mount, undefined where it shares no files. */
  plugSharedTree(): Promise<grpc.Storage.$Properties | undefined>;
  /** Plugs a network card into a free port. @throws KataError KATA_CONFIG when there is none */
  plugNic(id: string, backend: NicBackend): Promise<PluggedNic>;
  /** Takes one out, which may be out already; resolves when the guest has let go of it. @throws LateCard */
  unplugNic(nic: PluggedNic, options?: UnplugOptions): Promise<void>;
  /**
   * Plugs a block device of the host's in, for one container.
   *
   * @throws KataError KATA_CONFIG without a free port
   */
  plugDisk(containerId: string, device: string, options?: DiskOptions): Promise<PluggedDisk>;
  /** Takes all of a container's out, where it has any. @throws LateDisk, after which another disk, or a save, tries again */
  unplugDisk(containerId: string): Promise<void>;
  /**
   * Makes a host file or directory visible to the guest, and returns its path there: one and the same for all that share
   * it, so that the guest has one file system for it. It is read-only as long as all that share it want it so.
   *
   * @throws KataError KATA_UNSUPPORTED where the VM shares no files
   */
  share(source: string, name: string, options: ShareOptions): Promise<string>;
  /**
   * Saves the whole VM with its disks; it stands still meanwhile. Where that fails, it goes on as before.
   *
   * @param directory an existing one, which gets the files
   * @throws KataError KATA_UNSUPPORTED, KATA_SNAPSHOT
   */
  save(directory: string, options: SaveVmOptions): Promise<SavedVm>;
  /** Lets it go on where `save` has left it standing still, because its caller was killed, or its monitor had hung. Idempotent. */
  goOn(options?: GoOnOptions): Promise<void>;
  /** Takes back one name, or all names below one. Idempotent. */
  unshare(name: string): Promise<void>;
  /** Why it ended, as far as it was recorded. */
  exit(): Promise<VmExit | undefined>;
  /** Ends it and removes everything of it. Idempotent; works whatever has been killed. */
  stop(): Promise<void>;
}
