import type { grpc } from "@kata-ts/agent-protocol";
import type { io } from "#gen/containerd";
import type { GuestStats } from "./guest-stats.ts";

type Metrics = io.containerd.cgroups.v2.Metrics.$Properties;
type Figure = NonNullable<grpc.MemoryData.$Properties["usage"]>;

/** In the words of cgroup v2: microseconds, and devices with all that was read and written. */
export function metricsV2({ cgroup_stats }: GuestStats): Metrics {
  const { cpu_stats, memory_stats, pids_stats, blkio_stats } = cgroup_stats ?? {};
  const usage = cpu_stats?.cpu_usage;
  const throttling = cpu_stats?.throttling_data;
  const figures = memory_stats?.stats ?? {};
  return {
    cpu: {
      usage_usec: microseconds(usage?.total_usage),
      user_usec: microseconds(usage?.usage_in_usermode),
      system_usec: microseconds(usage?.usage_in_kernelmode),
      nr_periods: throttling?.periods ?? 0,
      nr_throttled: throttling?.throttled_periods ?? 0,
      throttled_usec: microseconds(throttling?.throttled_time),
    },
    memory: {
      anon: figures.anon ?? figures.total_rss ?? figures.rss ?? 0,
      file: figures.file ?? figures.total_cache ?? memory_stats?.cache ?? 0,
      inactive_anon: figures.inactive_anon ?? 0,
      active_anon: figures.active_anon ?? 0,
      inactive_file: figures.inactive_file ?? figures.total_inactive_file ?? 0,
      active_file: figures.active_file ?? figures.total_active_file ?? 0,
      pgfault: figures.pgfault ?? 0,
      pgmajfault: figures.pgmajfault ?? 0,
      usage: memory_stats?.usage?.usage ?? 0,
      usage_limit: memory_stats?.usage?.limit ?? 0,
      swap_usage: memory_stats?.swap_usage?.usage ?? 0,
      swap_limit: memory_stats?.swap_usage?.limit ?? 0,
    },
    pids: { current: pids_stats?.current ?? 0, limit: pids_stats?.limit ?? 0 },
    io: { usage: devicesOf(blkio_stats ?? {}) },
  };
}

function microseconds(nanoseconds: Figure | null | undefined): number {
  return Math.floor(Number(nanoseconds ?? 0) / 1000);
}

/** One entry a device, of an entry for each operation. */
function devicesOf(stats: grpc.BlkioStats.$Properties): io.containerd.cgroups.v2.IOEntry.$Properties[] {
  const devices: Map<string, Record<string, number>> = new Map();
  const add = (entries: readonly grpc.BlkioStatsEntry.$Properties[], suffix: "bytes" | "ios"): void => {
    for (const { major, minor, op, value } of entries) {
      const kind = { read: "r", write: "w" }[(op ?? "").toLowerCase()];
      if (kind === undefined) continue;
      const numbers = { major: Number(major ?? 0), minor: Number(minor ?? 0) };
      const key = `${String(numbers.major)}:${String(numbers.minor)}`;
      devices.set(key, { ...numbers, ...devices.get(key), [kind + suffix]: Number(value ?? 0) });
    }
  };
  add(stats.io_service_bytes_recursive ?? [], "bytes");
  add(stats.io_serviced_recursive ?? [], "ios");
  return [...devices.values()];
}
