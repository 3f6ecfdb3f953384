import { setTimeout as delay } from "node:timers/promises";
import type { RuntimePorts } from "@kata-ts/runtime";
import { openForExisting } from "@kata-ts/runtime";
import { type ContainerId, containerStats, parseContainerId } from "@kata-ts/virtcontainers";
import { type ContainerRecord, statusOf } from "@kata-ts/virtcontainers/records";
import type { Manual } from "../arguments/manual.ts";
import { parseAnywhere, UsageError } from "../arguments/parse.ts";
import type { Verb } from "../context.ts";
import { print } from "../output/print.ts";
import { cpuNanoseconds, proportionalBytes } from "../output/process-use.ts";
import { number } from "../output/stats.ts";

export const manual: Manual = {
  operands: "CONTAINER [CONTAINER …]",
  options: {},
  notes: [
    "What the sandbox of a container takes of the host beyond what its containers use in the guest: processor",
    "time of a second, in percent, and memory. Shared memory of the host's counts in proportion.",
  ],
};

/** What a sandbox takes at one moment: in sum of its processes on the host, and of its containers in the guest. */
interface Sample {
  readonly at: number;
  readonly hostCpu: number;
  readonly guestCpu: number;
  readonly hostMemory: number;
  readonly guestMemory: number;
}

const SECOND_MS = 1000;

/** Kata 1.x's figures, by its names. */
export const verb: Verb = async (args, context) => {
  const { words } = parseAnywhere(args, manual.options);
  if (words.length === 0) throw new UsageError('"kata-overhead" requires a container');
  const ids = words.map(parseContainerId);
  const ports = await (await openForExisting(context)).ports("store", "connectAgent");
  for (const id of ids) print(await overheadOf(id, ports));
  return 0;
};

async function overheadOf(id: ContainerId, ports: RuntimePorts<"store" | "connectAgent">): Promise<string> {
  const { store } = ports;
  const record = await store.read(id);
  const all = await Promise.all((await store.list()).map((other) => store.read(other).catch(() => undefined)));
  const members = all.filter((other) => other?.sandboxId === record.sandboxId && isUp(other));
  const sandbox = members.filter((other) => other !== undefined);
  const first = await sample(sandbox, ports, id);
  await delay(SECOND_MS);
  const last = await sample(sandbox, ports, id);
  return report(id, first, last);
}

function isUp(record: ContainerRecord): boolean {
  const status = statusOf(record);
  return status === "running" || status === "paused";
}

/** @throws KataError KATA_STATE for a container that does not run */
async function sample(
  sandbox: readonly ContainerRecord[],
  ports: RuntimePorts<"store" | "connectAgent">,
  id: ContainerId,
): Promise<Sample> {
  const ids = new Set([id, ...sandbox.map((record) => parseContainerId(record.id))]);
  const stats = await Promise.all([...ids].map((each) => containerStats(each, ports)));
  const pids = new Set(
    sandbox
      .flatMap(({ vm, shim }) => [...(vm?.processes ?? []), ...(shim === undefined ? [] : [shim])])
      .map(({ pid }) => pid),
  );
  const sum = (figures: readonly number[]): number => figures.reduce((total, figure) => total + figure, 0);
  return {
    at: performance.now(),
    hostCpu: sum([...pids].map(cpuNanoseconds)),
    guestCpu: sum(stats.map(({ cgroup_stats: cgroup }) => number(cgroup?.cpu_stats?.cpu_usage?.total_usage))),
    hostMemory: sum([...pids].map((pid) => proportionalBytes(pid) ?? 0)),
    guestMemory: sum(stats.map(({ cgroup_stats: cgroup }) => number(cgroup?.memory_stats?.usage?.usage))),
  };
}

function report(id: string, first: Sample, last: Sample): string {
  const nanoseconds = (last.at - first.at) * 1e6;
  const percent = (used: number): number => (used / nanoseconds) * 100;
  const host = percent(last.hostCpu - first.hostCpu);
  const guest = percent(last.guestCpu - first.guestCpu);
  const figure = (value: number): string => value.toFixed(6);
  return [
    `Sandbox overhead for container: ${id}`,
    `cpu_overhead=${figure(host - guest)}`,
    `memory_overhead_bytes=${String(last.hostMemory - last.guestMemory)}`,
    "",
    " --CPU details--",
    `cpu_host=${figure(host)}`,
    `\tcpu_host_init=${String(first.hostCpu)}`,
    `\tcpu_host_final=${String(last.hostCpu)}`,
    `cpu_guest=${figure(guest)}`,
    `\tcpu_guest_init=${String(first.guestCpu)}`,
    `\tcpu_guest_final=${String(last.guestCpu)}`,
    " --Memory details--",
    `memory_host_bytes=${String(last.hostMemory)}`,
    `memory_guest_bytes=${String(last.guestMemory)}`,
    "",
    "",
  ].join("\n");
}
