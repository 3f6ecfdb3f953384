import { totalmem } from "node:os";
import type { SpecResources } from "@kata-ts/agent-protocol";
import type { Ports } from "../environment.ts";
import { parseContainerId } from "../identifiers.ts";
import type { Agent } from "../ports/agent.ts";
import type { Vm } from "../ports/hypervisor.ts";
import type { Demand } from "../ports/store.ts";
import { asked } from "./asked.ts";

const MIB = 1024 * 1024;
const NOTHING: Demand = { milliCpus: 0, memoryMiB: 0 };

/** Kata's rules: the CPU quota, or without one the size of the cpuset; the memory limit. */
export function demandOf(resources: SpecResources | undefined, before: Demand = NOTHING): Demand {
  const { cpu = {}, memory = {} } = resources ?? {};
  const quota = Number(cpu.quota ?? 0);
  const period = Number(cpu.period ?? 0) || 100_000;
  const limit = Number(memory.limit ?? 0);
  const fromQuota = quota > 0 ? Math.ceil((quota * 1000) / period) : 0;
  const fromSet = cpusetSize(cpu.cpus ?? "") * 1000;
  return {
    milliCpus: cpu.quota === undefined && cpu.cpus === undefined ? before.milliCpus : fromQuota || fromSet,
    memoryMiB: memory.limit === undefined ? before.memoryMiB : limit > 0 ? Math.ceil(limit / MIB) : 0,
  };
}

/** "0-3,6" has five. */
function cpusetSize(list: string): number {
  const parts = list.split(",").map((part) => /^\s*(\d+)(?:-(\d+))?\s*$/.exec(part));
  return parts.reduce((sum, part) => sum + (part === null ? 0 : Number(part[2] ?? part[1]) - Number(part[1]) + 1), 0);
}

/** What all containers of a VM ask for. */
async function demandOn(vm: Vm, { store }: Ports<"store">): Promise<Demand> {
  const members = await Promise.all(
    (await vm.members()).map((id) => store.read(parseContainerId(id)).catch(() => undefined)),
  );
  const demands = members.map((record) => record?.demand ?? NOTHING);
  return {
    milliCpus: demands.reduce((sum, demand) => sum + demand.milliCpus, 0),
    memoryMiB: demands.reduce((sum, demand) => sum + demand.memoryMiB, 0),
  };
}

/**
 * Takes from a running VM the memory that its containers' limits do not ask for any more, where its memory can be taken
 * away. Processors stay: a processor that sleeps costs nothing.
 */
export async function shrinkVm(vm: Vm, environment: Ports<"store">): Promise<void> {
  const { memoryMiB } = await demandOn(vm, environment);
  await vm.shrink(memoryMiB);
}

/** Gives a running VM what all its containers' limits add up to; nothing is taken away. @throws KataError, QemuError */
export async function growVm(vm: Vm, agent: Agent, environment: Ports<"store">): Promise<void> {
  const { milliCpus, memoryMiB } = await demandOn(vm, environment);
  if (milliCpus === 0 && memoryMiB === 0) return;
  // More than the host has is no limit that could be reached.
  const hostMiB = Math.trunc(totalmem() / MIB);
  const grown = await vm.grow({ vcpus: Math.ceil(milliCpus / 1000), memoryMiB: Math.min(memoryMiB, hostMiB) });
  if (grown.vcpus === 0 && grown.memoryMiB === 0) return;
  await asked(
    "bring new CPUs and memory up",
    agent.onlineCPUMem({ wait: true, nb_cpus: grown.vcpus, cpu_only: false }),
  );
}
