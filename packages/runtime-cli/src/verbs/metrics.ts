import { readFileSync } from "node:fs";
import type { RuntimePorts } from "@kata-ts/runtime";
import { openForExisting } from "@kata-ts/runtime";
import { type ContainerRecord, containerStats, parseContainerId } from "@kata-ts/virtcontainers";
import { pidOf, statusOf } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { proportionalBytes } from "../output/process-use.ts";
import { formatMetrics, type Metric, type Sample } from "../output/prometheus.ts";
import { number } from "../output/stats.ts";

export const manual: Manual = {
  operands: "",
  options: {},
  notes: ["Prometheus's text format: have it written into a directory of the node exporter's text collector."],
};

/** So many guests are asked at the same time. */
const AT_ONCE = 8;

/** What is known of one container; `figures` where its guest answered. */
interface Observation {
  readonly record: ContainerRecord;
  readonly status: string;
  readonly figures: Readonly<Record<string, number>>;
}

/** What a guest tells, by the name of its metric. */
const FIGURES: readonly Omit<Metric, "samples">[] = [
  { name: "kata_container_cpu_seconds_total", type: "counter", help: "CPU time used by the container in its guest." },
  { name: "kata_container_memory_bytes", type: "gauge", help: "Memory used by the container in its guest." },
  { name: "kata_container_memory_limit_bytes", type: "gauge", help: "Limit of the container's memory." },
  { name: "kata_container_processes", type: "gauge", help: "Processes of the container." },
];

export const verb: Verb = async (args, context) => {
  const { words } = parseAnywhere(args, manual.options);
  if (words.length > 0) throw new UsageError(`"metrics" takes no arguments: ${words.join(" ")}`);
  const ports = await (await openForExisting(context)).ports("store", "connectAgent");
  const ids = [...(await ports.store.list())];
  const seen: Observation[] = [];
  const worker = async (): Promise<void> => {
    for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
      const observation = await observe(id, ports);
      if (observation !== undefined) seen.push(observation);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  seen.sort((a, b) => a.record.id.localeCompare(b.record.id));
  print(formatMetrics([...ofContainers(seen), ofProcesses(seen)]));
  return 0;
};

/** One that has gone, or whose guest does not answer, does not keep the others from being told. */
async function observe(id: string, ports: RuntimePorts<"store" | "connectAgent">): Promise<Observation | undefined> {
  try {
    const record = await ports.store.read(parseContainerId(id));
    const status = statusOf(record);
    const alive = status === "running" || status === "paused";
    const figures = alive ? await figuresOf(id, ports).catch(() => ({})) : {};
    return { record, status, figures };
  } catch {
    return undefined;
  }
}

async function figuresOf(
  id: string,
  ports: RuntimePorts<"store" | "connectAgent">,
): Promise<Readonly<Record<string, number>>> {
  const { cgroup_stats: cgroup } = await containerStats(parseContainerId(id), ports);
  return {
    kata_container_cpu_seconds_total: number(cgroup?.cpu_stats?.cpu_usage?.total_usage) / 1e9,
    kata_container_memory_bytes: number(cgroup?.memory_stats?.usage?.usage),
    kata_container_memory_limit_bytes: number(cgroup?.memory_stats?.usage?.limit),
    kata_container_processes: number(cgroup?.pids_stats?.current),
  };
}

function ofContainers(seen: readonly Observation[]): Metric[] {
  const info: Metric = {
    name: "kata_container_info",
    type: "gauge",
    help: "1 for each container, with its state.",
    samples: seen.map(({ record, status }) => ({
      labels: { id: record.id, status, pid: String(pidOf(record)) },
      value: 1,
    })),
  };
  const samplesOf = (name: string): Sample[] =>
    seen.flatMap(({ record, figures }) => {
      const value = figures[name];
      return value === undefined ? [] : [{ labels: { id: record.id }, value }];
    });
  return [info, ...FIGURES.map((figure) => ({ ...figure, samples: samplesOf(figure.name) }))];
}

/** A VM's processes are counted once, by the container that it was made for. */
function ofProcesses(seen: readonly Observation[]): Metric {
  const counted: Set<number> = new Set();
  const samples = seen.flatMap(({ record }) =>
    (record.vm?.processes ?? []).flatMap(({ pid }) => {
      if (counted.has(pid)) return [];
      counted.add(pid);
      const size = proportionalSize(pid);
      return size === undefined
        ? []
        : [{ labels: { id: record.id, pid: String(pid), ...size.labels }, value: size.bytes }];
    }),
  );
  return {
    name: "kata_vm_process_pss_bytes",
    type: "gauge",
    help: "Memory of the host that a process of the virtual machine takes, shared pages in proportion.",
    samples,
  };
}

function proportionalSize(
  pid: number,
): { readonly bytes: number; readonly labels: { readonly command: string } } | undefined {
  try {
    const bytes = proportionalBytes(pid);
    const command = readFileSync(`/proc/${String(pid)}/comm`, "utf8").trim();
    return bytes === undefined ? undefined : { bytes, labels: { command } };
  } catch {
    return undefined; // It has just ended.
  }
}
