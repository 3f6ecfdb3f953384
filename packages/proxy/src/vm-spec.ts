import type { ProcessIdentity } from "@kata-ts/linux";
import type { Confinement, VirtiofsdConfig, VmConfig } from "@kata-ts/qemu-driver";
import type { BootPhase } from "./guest-console.ts";

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

/** Everything the watchman needs to run one VM: plain values, handed over as JSON. */
export interface VmSpec extends VmSurroundings {
  /** The VM's directory on the host, 0700. Console, timeline and exit record are written there. */
  readonly dir: string;
  readonly vm: VmConfig;
  /** How QEMU is kept from the host; absent: by its capabilities and its filter alone. */
  readonly confinement?: Confinement;
  /** A file whose copy the guest's memory begins as: that of a saved machine, which `vm` is to take over. */
  readonly memoryImage?: string;
  /** Served to the guest; made by the caller, below `dir`. */
  readonly sharedDir: string;
  readonly virtiofsd?: VirtiofsdConfig;
  /** Where shims and runtime connect. */
  readonly proxySocket: string;
  /** Once its starter has committed it, the VM waits at VmFile.take for the one that it is for. */
  readonly cached?: boolean;
}

/** The processes of a VM. QEMU's mount namespace is the one that the shared tree is assembled in. */
export interface VmPids {
  readonly qemu: number;
  readonly virtiofsd: number | undefined;
}

/** The processes that a watchman has started, and itself: kept as `processes.json` for whoever finds the VM later. */
export interface VmProcesses {
  /** The one whose end ends the others first. */
  readonly processes: readonly ProcessIdentity[];
  readonly qemu?: ProcessIdentity | undefined;
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
  /** The socket of a VM that nobody has taken yet. */
  take: "take.sock",
} as const;
