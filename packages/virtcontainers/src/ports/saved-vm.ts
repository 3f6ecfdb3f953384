import type { SavedGuest } from "../template/saved-guest.ts";
import type { ConnectAgent } from "./agent.ts";

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

/** A VM as it was saved. */
export interface SavedVm {
  /** Names of files in the directory that it was saved to. */
  readonly memory: string;
  readonly state: string;
  readonly disks: readonly SavedDisk[];
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
export interface RestoreSource extends Pick<SavedVm, "growth"> {
  readonly guest: SavedGuest;
  /** The file of its memory does not change while the VM is there, and may be read by every user: it need not be copied. */
  readonly memoryStays?: boolean | undefined;
  readonly disks: readonly RestoredDisk[];
  readonly connectAgent: ConnectAgent;
}
