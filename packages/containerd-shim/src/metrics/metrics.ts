import { existsSync } from "node:fs";
import { type google, io } from "#gen/containerd";
import { anyOf } from "../any.ts";
import type { GuestStats } from "./guest-stats.ts";
import { metricsV1 } from "./metrics-v1.ts";
import { metricsV2 } from "./metrics-v2.ts";

/**
 * A container's figures as the host's other containers have them: clients read cgroup v1's words where the host has that, and
 * version 2's where it has only that.
 */
export function metricsOf(
  stats: GuestStats,
  isUnified: boolean = existsSync("/sys/fs/cgroup/cgroup.controllers"),
): google.protobuf.Any.$Properties {
  return isUnified
    ? anyOf("io.containerd.cgroups.v2.Metrics", io.containerd.cgroups.v2.Metrics.encode(metricsV2(stats)).finish())
    : anyOf("io.containerd.cgroups.v1.Metrics", io.containerd.cgroups.v1.Metrics.encode(metricsV1(stats)).finish());
}
