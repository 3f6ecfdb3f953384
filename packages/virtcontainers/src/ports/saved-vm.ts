import type { SavedGuest } from "../template/saved-guest.ts";
import type { ConnectAgent } from "./agent.ts";
import type { ShareOptions } from "./share-options.ts";

/** What has to be the same for a VM that was saved to be restored: values by the names that errors have for them. */
export type Fingerprint = Readonly<Record<string, string>>;

/** A disk of a saved VM. */
export interface SavedDisk {
  /** The container that it belongs to, and DiskOptions.index. */
  readonly owner: string;
  readonly index: number;
  /** PluggedDisk.where. */
  readonly where: string;
  readonly readonly: boolean;
  /** The name of the file with its bytes. */
  readonly file: string;
}

/** A file or directory of the host's that the guest of a saved VM has. It is the host's: no copy of it is saved. */
export interface SavedExport {
  readonly source: string;
  /** The name that it was shared by: a container's id, then which of its mounts. */
  readonly user: string;
  /** Where the guest has it: of this file or directory alone. */
  readonly exported: string;
  readonly options: ShareOptions;
}

/** A VM as it was saved. */
export interface SavedVm {
  /** Names of files in the directory that it was saved to. */
  readonly memory: string;
  readonly state: string;
  readonly disks: readonly SavedDisk[];
  /** Absent where the guest has a tree of the host's files of no kind. */
  readonly exports?: readonly SavedExport[] | undefined;
  /** What it had at boot beyond its usual size. */
  readonly growth: { readonly vcpus: number; readonly memoryMiB: number };
  readonly accelerator: string;
}

export interface SaveVmOptions {
  /** Appended to the names of its files. */
  readonly suffix: string;
  /** Whether the VM goes on once it is saved; else it stands still until it is stopped. */
  readonly leaveRunning: boolean;
  /** Gives up: the VM goes on. */
  readonly signal: AbortSignal;
}

export interface GoOnOptions {
  /** A monitor that has hung is waited for, for as long as the VM runs; else it has some seconds to answer. */
  readonly patient?: boolean | undefined;
}

/** A disk that a VM is to have before it is restored. */
export interface RestoredDisk extends Omit<SavedDisk, "file"> {
  /** A file or block device of the host's with the saved bytes, which the VM writes to. */
  readonly path: string;
}

/** What a VM is to be restored from. */
export interface RestoreSource extends Pick<SavedVm, "growth" | "exports"> {
  readonly guest: SavedGuest;
  /** The file of its memory does not change while the VM is there, and may be read by every user: it need not be copied. */
  readonly memoryStays?: boolean | undefined;
  readonly disks: readonly RestoredDisk[];
  readonly connectAgent: ConnectAgent;
}
