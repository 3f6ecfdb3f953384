import type { RuntimeSpec } from "@kata-ts/agent-protocol";
import type { OutputFiles } from "@kata-ts/shim";
import type { ContainerId } from "../identifiers.ts";

/** A container as its creator describes it. Everything the guest is to apply is in `spec`. */
export interface ContainerConfig {
  readonly id: ContainerId;
  /** Absolute path of the root file system on the host. */
  readonly rootfs: string;
  /** Process, mounts and limits. `root.path` and the sources of bind mounts are host paths; they are replaced. */
  readonly spec: RuntimeSpec;
  /** Recorded as given; empty for a container without a bundle. */
  readonly bundle: string;
  readonly annotations: Readonly<Record<string, string>>;
  /**
   * Give the guest the block devices of `spec`, and the one that `rootfs` is mounted from, where it is one's alone; the host
   * then unmounts it.
   */
  readonly useBlockDevices?: boolean;
  /** It sees the processes of those containers of its sandbox that share theirs, too. */
  readonly sharePidNamespace?: boolean;
  /** Our standard output and standard error are one file: what the process writes to them stays in its order. */
  readonly oneOutput?: boolean;
  /** Files that both outputs go to, instead of our descriptors. */
  readonly output?: OutputFiles;
  /** With `spec.process.terminal`: a unix socket that is sent the terminal's master. */
  readonly consoleSocket?: string;
}
