import type { NetworkedOptions } from "./network-options.ts";
import type { RestoreOptions, SnapshotOptions } from "./snapshot.ts";

/** What a copy of a sandbox is made of beside its snapshot. */
export type CopyOptions = Omit<RestoreOptions, "vm" | "id"> & { readonly id: string; readonly memoryStays?: boolean };

export interface ForkOptions
  extends Pick<SnapshotOptions, "deadlineMs" | "signal">,
    Pick<NetworkedOptions, "ports" | "egress"> {
  /** The ids of the copies; what is missing is chosen. */
  readonly ids?: readonly string[];
  /**
   * Where the memory of the moment is, and what copies write to their disks, while one of them is there: without names, on a file system
   * that has room for it. The system's directory for temporary files by default.
   */
  readonly directory?: string;
}
