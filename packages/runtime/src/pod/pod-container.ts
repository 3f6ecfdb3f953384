import type { ContainerId } from "@kata-ts/virtcontainers";
import type { Bundle } from "../bundle/load.ts";
import type { PodProcess } from "./pod-process.ts";

/** A container to be made in a pod. */
export interface PodRequest {
  readonly id: string;
  /** Its root file system is there already. */
  readonly bundle: Bundle;
  /** Gives up, and takes back what was made. */
  readonly signal?: AbortSignal | undefined;
}

/** A container that a pod has. */
export interface PodContainer {
  readonly id: ContainerId;
  readonly process: PodProcess;
  readonly execs: Map<string, PodProcess>;
  /** Names of execs that are being made. */
  readonly starting: Set<string>;
}
