import type { SpecHook } from "@kata-ts/agent-protocol";
import type { ProcessIdentity } from "@kata-ts/linux";
import type { ContainerId } from "../identifiers.ts";
import type { RecordedCgroup } from "./cgroups.ts";
import type { VmState } from "./hypervisor.ts";

/** What is recorded of a container's life; what the OS says about its shim is added when it is looked at. */
export type RecordedStatus = "creating" | "created" | "starting" | "running" | "paused" | "stopped";

/** The hooks that run after `create` has returned: they are recorded. */
export interface LaterHooks {
  readonly poststart?: readonly SpecHook[] | undefined;
  readonly poststop?: readonly SpecHook[] | undefined;
}

/** What a container's limits ask of its VM, on top of what every VM has. */
export interface ResourceRequest {
  readonly milliCpus: number;
  readonly memoryMiB: number;
}

export interface ContainerRecord {
  readonly version: 2;
  readonly id: string;
  /** Tells this container from an earlier or later one of the same id. */
  readonly incarnation?: string | undefined;
  readonly sandboxId: string;
  readonly status: RecordedStatus;
  /** Counts the changes of this record. */
  readonly generation: number;
  readonly ociVersion: string;
  readonly bundle: string;
  readonly rootfs: string;
  /** RFC 3339. */
  readonly created: string;
  readonly annotations: Readonly<Record<string, string>>;
  /** Pids mean nothing after a reboot. */
  readonly bootId: string;
  /** Absent until the VM was started. */
  readonly vm?: VmState | undefined;
  readonly shim?: ProcessIdentity | undefined;
  /** Shim.isShared: its first process's end is recorded as a status, and deleting the container does not end the shim. */
  readonly sharedShim?: boolean | undefined;
  /** While creating or starting: the process that is doing it. */
  readonly worker?: ProcessIdentity | undefined;
  /** The host's cgroups that were made for it. */
  readonly cgroup?: RecordedCgroup | undefined;
  /** Who its first process is, where the guest has looked that up: USER or USER:GROUP. Other processes are, too. */
  readonly user?: string | undefined;
  /** What its limits ask of its VM. */
  readonly demand?: ResourceRequest | undefined;
  /** The hooks that are still to be run. */
  readonly hooks?: LaterHooks | undefined;
}

/** Where records live. One directory or entry per container id. */
export interface Store {
  /** Takes an id for a new container, at once and for one caller only. @throws KataError KATA_ID_IN_USE */
  claim(record: ContainerRecord): Promise<void>;
  /** @throws KataError KATA_NOT_FOUND, KATA_STATE_FILE */
  read(id: ContainerId): Promise<ContainerRecord>;
  /**
   * Changes a record under its lock. The lock is held while the function runs, never longer: it must not call the
   * guest. Returns what was written.
   *
   * @param incarnation only if the record is still of this one; another container's of the same id counts as none
   */
  update(
    id: ContainerId,
    change: (record: ContainerRecord) => ContainerRecord,
    incarnation?: string,
  ): Promise<ContainerRecord>;
  /**
   * Gives the id back. Idempotent.
   *
   * @param known only if the record is of this incarnation and, where one is given, still of this generation
   * @returns false when it has changed since
   */
  remove(id: ContainerId, known?: Partial<Pick<ContainerRecord, "incarnation" | "generation">>): Promise<boolean>;
  /** Ids of our containers, in order. What is not ours in the same place is not listed. */
  list(): Promise<ContainerId[]>;
  /** Removes what was left by a crash in the middle of a change. */
  sweep(): Promise<void>;
  /** Where an id's record is, or would be: its name among all stores of this kind. */
  locationOf(id: ContainerId): string;
  /** The VM of the record at such a location, also another store's; undefined when there is none. */
  vmAt(location: string): Promise<VmState | undefined>;
}
