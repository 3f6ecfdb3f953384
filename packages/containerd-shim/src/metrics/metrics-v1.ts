import type { grpc } from "@kata-ts/agent-protocol";
import type { io } from "#gen/containerd";
import type { GuestStats } from "./guest-stats.ts";

type Metrics = io.containerd.cgroups.v1.Metrics.$Properties;

/** Names of memory.stat that the message has as they are; some are written with a line more. */
const MEMORY = [
  ...["cache", "rss", "rss_huge", "mapped_file", "dirty", "writeback", "inactive_anon", "active_anon"],
  ...["inactive_file", "active_file", "unevictable", "hierarchical_memory_limit", "total_cache", "total_rss"],
  ...["total_inactive_anon", "total_active_anon", "total_inactive_file", "total_active_file"],
] as const;
const RENAMED = {
  pgfault: "pg_fault",
  pgmajfault: "pg_maj_fault",
  total_pgfault: "total_pg_fault",
  total_pgmajfault: "total_pg_maj_fault",
} as const;

/** In the words of cgroup v1, which Kata's contract has, too. */
export function metricsV1({ cgroup_stats, network_stats }: GuestStats): Metrics {
  const { cpu_stats, memory_stats, pids_stats, blkio_stats, hugetlb_stats } = cgroup_stats ?? {};
  const usage = cpu_stats?.cpu_usage;
  return {
    cpu: {
      usage: {
        total: usage?.total_usage ?? 0,
        kernel: usage?.usage_in_kernelmode ?? 0,
        user: usage?.usage_in_usermode ?? 0,
        per_cpu: usage?.percpu_usage ?? [],
      },
      throttling: cpu_stats?.throttling_data ?? {},
    },
    memory: {
      ...memoryStat(memory_stats?.stats ?? {}),
      usage: memoryEntry(memory_stats?.usage),
      swap: memoryEntry(memory_stats?.swap_usage),
      kernel: memoryEntry(memory_stats?.kernel_usage),
    },
    pids: { current: pids_stats?.current ?? 0, limit: pids_stats?.limit ?? 0 },
    blkio: {
      io_service_bytes_recursive: blkio_stats?.io_service_bytes_recursive ?? [],
      io_serviced_recursive: blkio_stats?.io_serviced_recursive ?? [],
    },
    hugetlb: Object.entries(hugetlb_stats ?? {}).map(([pagesize, { usage, max_usage, failcnt }]) => ({
      pagesize,
      usage: usage ?? 0,
      max: max_usage ?? 0,
      failcnt: failcnt ?? 0,
    })),
    network: network_stats,
  };
}

type Figures = Readonly<Record<string, number | Long>>;
type Long = Exclude<NonNullable<grpc.MemoryData.$Properties["usage"]>, number>;

function memoryStat(figures: Figures): io.containerd.cgroups.v1.MemoryStat.$Properties {
  const stat: Record<string, number | Long> = {};
  const names = [...MEMORY.map((name) => [name, name] as const), ...Object.entries(RENAMED)];
  for (const [from, to] of names) {
    const value = figures[from];
    if (value !== undefined) stat[to] = value;
  }
  return stat;
}

function memoryEntry(
  data: grpc.MemoryData.$Properties | null | undefined,
): io.containerd.cgroups.v1.MemoryEntry.$Properties {
  return { usage: data?.usage ?? 0, limit: data?.limit ?? 0, max: data?.max_usage ?? 0, failcnt: data?.failcnt ?? 0 };
}
