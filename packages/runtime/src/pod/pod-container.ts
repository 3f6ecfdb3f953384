import type { ContainerId } from "@kata-ts/virtcontainers";
import type { Bundle } from "../bundle/load.ts";
import type { EndOfVm, PodProcess } from "./pod-process.ts";

/** A container to be made in a pod. */
export interface PodRequest {
  readonly id: string;
  /** Its root file system is there already. */
  readonly bundle: Bundle;
  /** Gives up, and takes back what was made. */
  readonly signal?: AbortSignal | undefined;
}

/** A container to be gone on with as a pod's, in a bundle that has the same container's config.json. */
export interface PodRestoreRequest extends PodRequest {
  /** The directory that it was saved to. */
  readonly directory: string;
}

export interface PodCheckpointOptions {
  /** It goes on when it is saved, as it does by default; else it is killed then. */
  readonly leaveRunning?: boolean | undefined;
  /** Gives up: it goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** A container that a pod has. */
export interface PodContainer {
  readonly id: ContainerId;
  readonly process: PodProcess;
  readonly execs: Map<string, PodProcess>;
  /** Of all its processes. */
  readonly endOfVm: EndOfVm;
  /** Names of execs that are being made. */
  readonly starting: Set<string>;
  /** Its processes have run before, and stand still until it is started. */
  readonly isRestored: boolean;
}
