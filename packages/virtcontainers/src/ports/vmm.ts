import type { Readable } from "node:stream";
import type { MachineDescription, MachineLauncher, VirtiofsdConfig, VsockSpec } from "@kata-ts/proxy";
import type { SavedGuest } from "../template/saved-guest.ts";
import type { VmDirectory } from "../vm/vm-directory.ts";
import type { VmCapabilities } from "./capabilities.ts";
import type {
  DiskOptions,
  NicBackend,
  PluggedDisk,
  PluggedNic,
  UnplugOptions,
  VmGrowth,
  VmState,
} from "./hypervisor.ts";
import type { Fingerprint, GoOnOptions } from "./saved-vm.ts";

export type { MachineDescription, MachineFiles, MachineLauncher } from "@kata-ts/proxy";

/**
 * A virtual machine monitor: it describes machines, which the supervisor of a VM starts, and changes machines that run. It
 * knows nothing of containers. A second monitor, or another kind of machine, is a second implementation.
 */
export interface Vmm {
  readonly settings: VmSettings;
  readonly capabilities: VmCapabilities;
  /** What a machine has at boot, unless it is to have more. */
  readonly size: VmGrowth;
  /** Checks that all is there that a machine is made of. @throws KataError KATA_CONFIG naming what is missing */
  requireFiles(): void;
  /** Checks that its programs can do what the configuration asks of them: they are run for it. @throws KataError KATA_UNSUPPORTED */
  requirePrograms(): Promise<void>;
  /** How guests' instructions are executed, such as `kvm`; found out where the configuration leaves it open. */
  accelerator(): Promise<string>;
  /** The machine of a VM that is to be started. */
  describe(place: MachinePlace, accelerator: string): MachineDescription;
  /** Starts described machines in this process; kata-proxy has its own. Its code is loaded by this call. */
  launcher(): Promise<MachineLauncher>;
  /** What is the same for all machines of this configuration. */
  identify(accelerator: string): MachineIdentity;
  /** See Hypervisor.fingerprint. */
  fingerprint(accelerator: string): Promise<Fingerprint>;
  /** A machine that was started, in this process or an earlier one. Its code is loaded by this call. */
  machine(state: VmState): Promise<Machine>;
  /** Starts a machine that is only to be saved. It ends with this process. */
  startToSave(place: MachinePlace, accelerator: string): Promise<SavableMachine>;
}

/** How VMs are run, whatever monitor runs them. */
export interface VmSettings {
  /** Below which each VM gets a directory. */
  readonly vmRoot: string;
  readonly sharedTree: SharedTreeSettings;
  /** The guest's agent is reached over vsock instead of a serial port; what backs the device. */
  readonly vsock?: VsockSpec | undefined;
  /** A program, run with these arguments and a sandbox's id whenever the sandbox's network namespace has changed. */
  readonly onNetworkChange?: readonly string[] | undefined;
}

/** How a guest gets the host's files: from a daemon beside the monitor, from the monitor itself, or as copies and disks alone. */
export type SharedTreeSettings =
  | ({ readonly kind: "virtio-fs"; readonly daemonPath: string } & Pick<
      VirtiofsdConfig,
      "cache" | "extraArguments" | "savable"
    >)
  | { readonly kind: "9p"; readonly messageBytes: number }
  | { readonly kind: "none" };

/** What differs between the machines of a configuration. */
export interface MachinePlace {
  /** Shows in the host's list of processes. */
  readonly name: string;
  readonly directory: VmDirectory;
  /** What it has at boot beyond the monitor's `size`: of what cannot be added to a machine that runs. */
  readonly growth?: VmGrowth | undefined;
}

/** Tells whether a machine that was saved, or that waits, is what a configuration asks for. */
export interface MachineIdentity {
  /** The machine without its name and its paths; plain values. */
  readonly machine: object;
  /** Files that it is made of: a machine of other files is another one. */
  readonly files: readonly string[];
  /** How the monitor's process is started: it matters to a machine that runs, and not to what is saved of one. */
  readonly start: string;
}

/**
 * A machine that was started. Calls at the same time do not disturb each other. A call for what `Vmm.capabilities` denies is a
 * mistake of the caller.
 */
export interface Machine {
  /** See Vm.grow. */
  grow(wanted: VmGrowth): Promise<VmGrowth>;
  /** See Vm.shrink. */
  shrink(memoryMiB: number): Promise<void>;
  /** Plugs in a file system that a daemon serves at this socket. */
  plugFileSystem(fileSystem: { readonly socket: string; readonly tag: string }): Promise<void>;
  /** See Vm.plugNic. */
  plugNic(id: string, backend: NicBackend): Promise<PluggedNic>;
  /** @param handle of what was plugged in, and may be out already; @throws LateCard */
  unplugNic(handle: string, options?: UnplugOptions): Promise<void>;
  /** Plugs in a block device of the host's, as one of its owner's. @throws KataError KATA_CONFIG without a free port */
  plugDisk(owner: string, device: string, options: MachineDisk): Promise<PluggedDisk>;
  /** Takes all of an owner's out, which may be out already. @throws LateDisk, when all have been asked for */
  unplugDisks(owner: string, options?: UnplugDisksOptions): Promise<void>;
  /**
   * Saves the machine while it runs, as far as `Vmm.capabilities.saveRunning` says. It stands still meanwhile; where that fails,
   * it goes on as before.
   */
  save(saved: SavedGuest, work: SaveRequest): Promise<void>;
  /** Lets it go on where `save` has left it standing still, because its caller was killed, or its monitor had hung. */
  goOn(options?: GoOnOptions): Promise<void>;
  /** Restores what was saved, in a machine that was started to wait for it. */
  restore(saved: SavedGuest): Promise<void>;
  /** See Vm.noteBoot. */
  noteBoot(cameUp: boolean): Promise<void>;
}

export interface UnplugDisksOptions extends UnplugOptions {
  /** The highest index that the owner is known to have had. Without it the first one that is not there, after 0, ends the search. */
  readonly last?: number | undefined;
}

/** DiskOptions, with their defaults. */
export interface MachineDisk extends DiskOptions {
  readonly readonly: boolean;
  readonly index: number;
}

export interface SaveRequest {
  /** Copies what belongs to the machine beside its memory: it does not change meanwhile. */
  readonly whileStopped: (signal: AbortSignal) => Promise<void>;
  /** Whether the machine goes on when it is saved. */
  readonly leaveRunning: boolean;
  /** Gives up, and lets the machine go on. */
  readonly signal: AbortSignal;
}

/** A machine in this process, which is saved or ends with it. */
export interface SavableMachine extends AsyncDisposable {
  /** What its guest prints. */
  readonly console: Readable;
  /** What the monitor reports. */
  readonly stderr: Readable;
  readonly exited: Promise<unknown>;
  /** Stops the guest for good and writes it down. */
  save(saved: SavedGuest): Promise<void>;
}
