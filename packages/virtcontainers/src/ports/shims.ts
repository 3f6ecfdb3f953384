import type { ProcessIdentity, WindowSize } from "@kata-ts/linux";
import type { OutputFiles, Target } from "@kata-ts/shim";

export interface ShimRequest {
  readonly containerId: string;
  readonly execId: string;
  /** For a container's first process: the host's path of its root file system, in which the shim lives. */
  readonly rootfs?: string | undefined;
  /** The network namespace to live in. */
  readonly networkNamespace?: string | undefined;
  /** For a process with a terminal. */
  readonly terminal?: ShimTerminal | undefined;
  /** Hooks are run before the process exists: they look for its namespaces by the pid of a process on the host. */
  readonly hasHooks?: boolean | undefined;
  /** This process does not wait for it: it ends only once this process has, whose own reaper then gets its status. */
  readonly detached?: boolean | undefined;
  /** It gets none of the caller's own descriptors. */
  readonly withoutStreams?: boolean | undefined;
  /** Where both outputs go instead of the caller's own descriptors. */
  readonly output?: OutputFiles | undefined;
}

export interface ShimTerminal {
  /** Who gets the terminal's master; without it the caller's own descriptors are the terminal. */
  readonly consoleSocket?: string | undefined;
  readonly size?: WindowSize | undefined;
}

/** Starts the stand-ins of guest processes on the host. */
export interface Shims {
  /** Starts one early, before there is a process to stand in for. */
  launch(request: ShimRequest): Shim;
}

export interface ShimTarget extends Target {
  /** The user that it becomes, with no capability; without one it stays the caller's. */
  readonly user?: number;
}

export interface Shim {
  readonly identity: ProcessIdentity;
  /** The process stands in for other guest processes, too: it goes on when this one ends. */
  readonly isShared?: boolean | undefined;
  /** The process by which hooks find the container's namespaces, where the shim lives in others. */
  readonly hookProcess?: ProcessIdentity | undefined;
  /** Resolves with what it exits with; only while the process that launched it lives. */
  readonly exited: Promise<number>;
  /** Lets it take over the process's streams. @throws KataError KATA_SHIM */
  connect(target: ShimTarget): Promise<void>;
  kill(): void;
}
