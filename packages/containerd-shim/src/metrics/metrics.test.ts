import { grpc } from "@kata-ts/agent-protocol";
import Long from "long";
import { describe, expect, it } from "vitest";
import { io } from "#gen/containerd";
import { metricsOf } from "./metrics.ts";

/** As an agent sends it. */
function stats(): grpc.StatsContainerResponse {
  const device = { major: 254, minor: 0 };
  const cgroup_stats = {
    cpu_stats: {
      cpu_usage: { total_usage: 5_000_000, usage_in_usermode: 3_000_000, usage_in_kernelmode: 2_000_000 },
      throttling_data: { periods: 4, throttled_periods: 2, throttled_time: 9_000 },
    },
    memory_stats: {
      usage: { usage: 4096, limit: 65_536, max_usage: 8192, failcnt: 1 },
      stats: { cache: 1024, rss: 2048, pgfault: 7, total_inactive_file: 512, unknown: 1 },
    },
    pids_stats: { current: 3, limit: 10 },
    blkio_stats: {
      io_service_bytes_recursive: [
        { ...device, op: "Read", value: 100 },
        { ...device, op: "Write", value: 200 },
        { ...device, op: "Total", value: 300 },
      ],
      io_serviced_recursive: [{ ...device, op: "Read", value: 1 }],
    },
  };
  const network_stats = [{ name: "eth0", rx_bytes: 11, tx_bytes: 12 }];
  return grpc.StatsContainerResponse.decode(
    grpc.StatsContainerResponse.encode({ cgroup_stats, network_stats }).finish(),
  );
}

/** Numbers of 64 bits as text. */
function plain(message: object): unknown {
  const replacer = (_: string, value: unknown): unknown => (Long.isLong(value) ? value.toString() : value);
  return JSON.parse(JSON.stringify(message, replacer));
}

describe("a container's figures", () => {
  it("are those of cgroup v1 where the host has that", () => {
    const { type_url, value } = metricsOf(stats(), false);
    expect(type_url).toBe("io.containerd.cgroups.v1.Metrics");
    const found = io.containerd.cgroups.v1.Metrics.decode(value ?? new Uint8Array());
    expect(plain(found)).toMatchObject({
      cpu: {
        usage: { total: "5000000", user: "3000000", kernel: "2000000" },
        throttling: { periods: "4", throttled_periods: "2", throttled_time: "9000" },
      },
      memory: {
        ...{ cache: "1024", rss: "2048", pg_fault: "7", total_inactive_file: "512" },
        usage: { usage: "4096", limit: "65536", max: "8192", failcnt: "1" },
      },
      pids: { current: "3", limit: "10" },
      network: [{ name: "eth0", rx_bytes: "11", tx_bytes: "12" }],
    });
  });

  it("are those of cgroup v2 where it has only that", () => {
    const { type_url, value } = metricsOf(stats(), true);
    expect(type_url).toBe("io.containerd.cgroups.v2.Metrics");
    const found = io.containerd.cgroups.v2.Metrics.decode(value ?? new Uint8Array());
    expect(plain(found)).toMatchObject({
      cpu: { usage_usec: "5000", user_usec: "3000", system_usec: "2000", nr_throttled: "2", throttled_usec: "9" },
      memory: { anon: "2048", usage: "4096", usage_limit: "65536", inactive_file: "512", pgfault: "7" },
      pids: { current: "3", limit: "10" },
      io: { usage: [{ major: "254", rbytes: "100", wbytes: "200", rios: "1" }] },
    });
  });
});
