import type { VmExit } from "@kata-ts/proxy";

/** A VM's supervisor, wherever it lives. */
export interface StartedSupervisor {
  readonly ended: Promise<VmExit | undefined>;
  /** From now on the VM outlives this process, where the supervisor does. */
  commit(): void;
  /** As commit, until the supervisor knows; for a VM that may be taken over by another process then. */
  letGo?(): Promise<void>;
  /** From now on nothing of the VM keeps this process running. */
  unref(): void;
  stop(): Promise<void>;
}
