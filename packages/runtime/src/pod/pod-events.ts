import type { Vm } from "@kata-ts/virtcontainers";

/** What happens in a pod without being asked for. */
export interface PodEvents {
  /** A process has ended; of exec where it has an execId. The record says so already. */
  exit: [{ readonly containerId: string; readonly execId?: string; readonly status: number; readonly at: Date }];
  /** A container has run out of the memory that it may have, in the guest; or the host's kernel has ended the VM for its. */
  oom: [{ readonly containerId: string }];
  /** The VM has ended; why, as far as it is known. */
  end: [Awaited<Vm["ended"]>];
}
