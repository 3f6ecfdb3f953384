import type { grpc, ResponseInput } from "@kata-ts/agent-protocol";
import { textOf } from "../files.ts";

/** The statistics of a cgroup v2 directory, in the shape of the contract (which is cgroup v1's). */
export function containerStats(cgroup: string): ResponseInput<"statsContainer"> {
  const file = (name: string): string => textOf(`${cgroup}/${name}`);
  const cpu = keyed(file("cpu.stat"));
  const memory = keyed(file("memory.stat"));
  const events = keyed(file("memory.events"));
  return {
    cgroup_stats: {
      cpu_stats: cpuStats(cpu),
      memory_stats: {
        cache: memory.file ?? 0,
        usage: {
          usage: number(file("memory.current")),
          max_usage: number(file("memory.peak")),
          limit: number(file("memory.max")),
          failcnt: events.max ?? 0,
        },
        swap_usage: { usage: number(file("memory.swap.current")), limit: number(file("memory.swap.max")) },
        kernel_usage: { usage: memory.kernel ?? 0 },
        use_hierarchy: true,
        stats: memory,
      },
      pids_stats: { current: number(file("pids.current")), limit: number(file("pids.max")) },
      blkio_stats: blkioStats(file("io.stat")),
    },
  };
}

function cpuStats(cpu: Readonly<Record<string, number>>): grpc.CpuStats.$Properties {
  const nanoseconds = (name: string): number => (cpu[name] ?? 0) * 1000;
  return {
    cpu_usage: {
      total_usage: nanoseconds("usage_usec"),
      usage_in_usermode: nanoseconds("user_usec"),
      usage_in_kernelmode: nanoseconds("system_usec"),
    },
    throttling_data: {
      periods: cpu.nr_periods ?? 0,
      throttled_periods: cpu.nr_throttled ?? 0,
      throttled_time: nanoseconds("throttled_usec"),
    },
  };
}

// "254:0 rbytes=1 wbytes=2 rios=3 wios=4 …" a line.
function blkioStats(text: string): grpc.BlkioStats.$Properties {
  const bytes: grpc.BlkioStatsEntry.$Properties[] = [];
  const operations: grpc.BlkioStatsEntry.$Properties[] = [];
  for (const line of text.split("\n").filter(Boolean)) {
    const [device = "", ...pairs] = line.split(" ");
    const [major = 0, minor = 0] = device.split(":").map(Number);
    const values = Object.fromEntries(pairs.map((pair) => pair.split("="))) as Record<string, string | undefined>;
    bytes.push(
      { major, minor, op: "Read", value: Number(values.rbytes) },
      { major, minor, op: "Write", value: Number(values.wbytes) },
    );
    operations.push(
      { major, minor, op: "Read", value: Number(values.rios) },
      { major, minor, op: "Write", value: Number(values.wios) },
    );
  }
  return { io_service_bytes_recursive: bytes, io_serviced_recursive: operations };
}

function keyed(text: string): Record<string, number> {
  const pairs = text
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split(" "));
  return Object.fromEntries(pairs.map(([key, value]) => [key, Number(value)])) as Record<string, number>;
}

/** "max" means no limit, which the contract writes as 0. */
function number(text: string): number {
  const value = Number.parseInt(text, 10);
  return Number.isNaN(value) ? 0 : value;
}
