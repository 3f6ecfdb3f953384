import type { ProcessIdentity } from "@kata-ts/linux";
import type { BootPhase } from "./guest-console.ts";
import type { MachineDescription } from "./machine-launcher.ts";
import type { VirtiofsdConfig } from "./virtiofsd.ts";

/** What a VM is given of its sandbox's surroundings on the host. */
export interface VmSurroundings {
  /** The network namespace that the VM's processes run in; without it the caller's. */
  readonly networkNamespace?: string;
  /** A resolver in that namespace, which the guest may ask for names. */
  readonly resolver?: string;
  /** The container's resolv.conf, on the host: while it names an engine's resolver, the guest may ask that. */
  readonly resolvConf?: string;
  /** Whether connections to that namespace's loopback are led to the guest's. */
  readonly forwardLoopback?: boolean;
  /** Files of the VM's cgroup in which the kernel counts the processes that it has ended for want of memory. */
  readonly oomFiles?: readonly string[];
  /** A program and its arguments, run whenever the network namespace has changed. */
  readonly onNetworkChange?: readonly string[];
}

/** What backs a guest's vsock device. */
export interface VsockSpec {
  /** vhost-device-vsock, an absolute path; without it the host's kernel. */
  readonly daemonPath?: string;
}

/** Everything the supervisor needs to run one VM: plain values, handed over as JSON. */
export interface VmSpec extends VmSurroundings {
  readonly machine: MachineDescription;
  /** The VM's directory on the host, 0700. Console, timeline and exit record are written there. */
  readonly dir: string;
  /** A file whose copy the guest's memory begins as: that of a saved machine, which this one is to take over. */
  readonly memoryImage?: string;
  /** That file does not change while the VM is there: the memory is mapped from it, and what the guest writes is its own. */
  readonly memoryImageStays?: boolean;
  /**
   * The guest was saved while a host was connected with it. Its channel is connected by the first connection of a client, which
   * comes when the guest runs: it has to see that the earlier host has left.
   */
  readonly channelWaits?: boolean;
  /** Served to the guest; made by the caller, below `dir`. */
  readonly sharedDir: string;
  readonly virtiofsd?: VirtiofsdConfig;
  /** Where shims and runtime connect to a guest that is reached over its serial port. */
  readonly proxySocket: string;
  /** The guest is reached over vsock, and has no serial port. */
  readonly vsock?: VsockSpec;
  /** Once its starter has committed it, the VM waits at VmFile.take for its sandbox. */
  readonly cached?: boolean;
  /** Whenever its owner has committed it, the VM waits at VmFile.door for another. An owner that goes without takes it along. */
  readonly detachable?: boolean;
}

/** The processes of a VM. The shared tree is assembled in the mount namespace of the monitor's process. */
export interface VmPids {
  readonly vmm: number;
  readonly virtiofsd: number | undefined;
}

/** What the proxy answers its starter, as one JSON line. The processes are in VmFile.processes by then. */
export type StartOutcome =
  | { readonly ok: true }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** The processes that a supervisor has started, and itself: kept as `processes.json` for later calls and gc. */
export interface VmProcesses {
  /** The one whose end ends the others first. */
  readonly processes: readonly ProcessIdentity[];
  readonly vmm?: ProcessIdentity | undefined;
  /** Where the agent is reached. */
  readonly agentUrl?: string | undefined;
}

/** How a VM ended; kept as `exit.json` in its directory. */
export interface VmExit {
  readonly reason: "stopped" | "qemu-exited" | "virtiofsd-exited" | "channel-lost";
  /** How far the guest had come. */
  readonly phase: BootPhase;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The host's kernel has ended it: its cgroup was out of memory. */
  readonly outOfMemory?: boolean;
  /** Last lines of the programs' standard error, escaped. */
  readonly stderr: readonly string[];
  /** Last lines of the guest's console, escaped. */
  readonly console: readonly string[];
}

/** Files in the VM's directory. */
export const VmFile = {
  console: "console.log",
  boot: "boot.json",
  exit: "exit.json",
  /** VmProcesses. */
  processes: "processes.json",
  /** A ConnectionJournal. */
  network: "network.json",
  /** The port of a PortForwarder. */
  ports: "ports",
  /** The socket of a cached VM that no sandbox has taken yet. */
  take: "take.sock",
  /** The socket of a VM that may outlive its starter, where it is taken over. */
  door: "owner.sock",
} as const;
