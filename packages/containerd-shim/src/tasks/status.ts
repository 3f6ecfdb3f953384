import { containerd } from "#gen/containerd";
import type { TaskProcess } from "./task-process.ts";

const { Status } = containerd.v1.types;

/** A process's status in containerd's words. */
export function statusOf({ status }: TaskProcess, isPaused: boolean): containerd.v1.types.Status {
  if (status === "created") return Status.CREATED;
  if (status === "stopped") return Status.STOPPED;
  return isPaused ? Status.PAUSED : Status.RUNNING;
}
