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
   * Give the guest the block devices of `spec`, and the device that `rootfs` is mounted from, where no other mount uses it;
   * the host then unmounts it.
   */
  readonly useBlockDevices?: boolean | undefined;
  /** USER or USER:GROUP by the container's own files, instead of the numbers of `spec`. */
  readonly user?: string | undefined;
  /** The host keeps the file system that `rootfs` is, whatever it is mounted from. */
  readonly keepRootfs?: boolean | undefined;
  /** It sees the processes of those containers of its sandbox that share theirs, too. */
  readonly sharePidNamespace?: boolean | undefined;
  /** Our standard output and standard error are one file: what the process writes to them stays in its order. */
  readonly oneOutput?: boolean | undefined;
  /** This process does not wait for its shim. */
  readonly detached?: boolean | undefined;
  /** Its process gets none of our descriptors: its standard input is empty, and its output is lost unless `output` takes it. */
  readonly withoutStreams?: boolean | undefined;
  /** Files that both outputs go to, instead of our descriptors. */
  readonly output?: OutputFiles | undefined;
  /** With `spec.process.terminal`: a unix socket that is sent the terminal's master. */
  readonly consoleSocket?: string | undefined;
}
