import type { ProcessIdentity, WindowSize } from "@kata-ts/linux";
import type { OutputFiles, Target } from "@kata-ts/shim";

export interface ShimRequest {
  readonly containerId: string;
  readonly execId: string;
  /** For a container's first process: the host's path of its root file system, in which the shim lives. */
  readonly rootfs?: string;
  /** The network namespace to live in. */
  readonly networkNamespace?: string;
  /** For a process with a terminal. */
  readonly terminal?: ShimTerminal;
  /** Where both outputs go instead of the caller's own descriptors. */
  readonly output?: OutputFiles;
}

export interface ShimTerminal {
  /** Who gets the terminal's master; without it the caller's own descriptors are the terminal. */
  readonly consoleSocket?: string;
  readonly size?: WindowSize;
}

/** Starts the stand-ins of guest processes on the host. */
export interface Shims {
  /** Starts one early, before there is a process to stand in for. */
  launch(request: ShimRequest): Shim;
}

export interface Shim {
  readonly identity: ProcessIdentity;
  /** Resolves with what it exits with; only while the process that launched it lives. */
  readonly exited: Promise<number>;
  /** Lets it take over the process's streams. @throws KataError KATA_SHIM */
  connect(target: Target): Promise<void>;
  kill(): void;
}
