import type { ContainerStats } from "@kata-ts/virtcontainers";

type Numbers = Readonly<Record<string, number>>;

/** The `data` of runc's stats event. */
export function statsView({ cgroup_stats: cgroup, network_stats: network }: ContainerStats): object {
  const usage = cgroup?.cpu_stats?.cpu_usage;
  const throttling = cgroup?.cpu_stats?.throttling_data;
  const memory = cgroup?.memory_stats;
  return {
    cpu: {
      usage: {
        total: number(usage?.total_usage),
        kernel: number(usage?.usage_in_kernelmode),
        user: number(usage?.usage_in_usermode),
      },
      throttling: {
        periods: number(throttling?.periods),
        throttledPeriods: number(throttling?.throttled_periods),
        throttledTime: number(throttling?.throttled_time),
      },
    },
    memory: {
      cache: number(memory?.cache),
      usage: memoryView(memory?.usage),
      swap: memoryView(memory?.swap_usage),
      kernel: memoryView(memory?.kernel_usage),
      raw: Object.fromEntries(Object.entries(memory?.stats ?? {}).map(([name, value]) => [name, number(value)])),
    },
    pids: { current: number(cgroup?.pids_stats?.current), limit: number(cgroup?.pids_stats?.limit) },
    blkio: {
      ioServiceBytesRecursive: (cgroup?.blkio_stats?.io_service_bytes_recursive ?? []).map(blkioView),
      ioServicedRecursive: (cgroup?.blkio_stats?.io_serviced_recursive ?? []).map(blkioView),
    },
    hugetlb: {},
    intel_rdt: {},
    network_interfaces: network.length === 0 ? null : network.map(networkView),
  };
}

interface MemoryData {
  readonly usage?: unknown;
  readonly max_usage?: unknown;
  readonly limit?: unknown;
  readonly failcnt?: unknown;
}

function memoryView(data: MemoryData | null | undefined): Numbers {
  return {
    limit: number(data?.limit),
    usage: number(data?.usage),
    max: number(data?.max_usage),
    failcnt: number(data?.failcnt),
  };
}

function blkioView(entry: { major?: unknown; minor?: unknown; op?: string | null; value?: unknown }): object {
  const { major, minor, op, value } = entry;
  return { major: number(major), minor: number(minor), op: op ?? "", value: number(value) };
}

function networkView(entry: { name?: string | null }): object {
  return Object.fromEntries(
    Object.entries(entry).map(([name, value]) => [name, typeof value === "string" ? value : number(value)]),
  );
}

/** 64-bit numbers come as Long objects. Figures above 2^53 lose their last digits. */
export function number(value: unknown): number {
  if (typeof value === "object" && value !== null && "toNumber" in value) return (value as Long).toNumber();
  return Number(value ?? 0);
}

interface Long {
  toNumber(): number;
}
