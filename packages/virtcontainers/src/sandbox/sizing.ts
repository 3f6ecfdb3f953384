import { totalmem } from "node:os";
import type { SpecResources } from "@kata-ts/agent-protocol";
import { parseContainerId } from "../identifiers.ts";
import type { Agent } from "../ports/agent.ts";
import type { Vm, VmGrowth } from "../ports/hypervisor.ts";
import type { Ports } from "../ports/ports.ts";
import type { ResourceRequest } from "../ports/store.ts";
import { wrapAgentError } from "./wrap-agent-error.ts";

const MIB = 1024 * 1024;
const NOTHING: ResourceRequest = { milliCpus: 0, memoryMiB: 0 };

/** Kata's rules: the CPU quota, or without one the size of the cpuset; the memory limit. */
export function resourceRequestOf(
  resources: SpecResources | undefined,
  before: ResourceRequest = NOTHING,
): ResourceRequest {
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
async function demandOn(vm: Vm, { store }: Ports<"store">): Promise<ResourceRequest> {
  const members = await Promise.all(
    (await vm.members()).map((id) => store.read(parseContainerId(id)).catch(() => undefined)),
  );
  return sumOf(members.map((record) => record?.demand ?? NOTHING));
}

export function sumOf(requests: readonly ResourceRequest[]): ResourceRequest {
  return {
    milliCpus: requests.reduce((sum, { milliCpus }) => sum + milliCpus, 0),
    memoryMiB: requests.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0),
  };
}

/**
 * Takes from a running VM the memory that its containers' limits do not ask for any more, where its memory can be taken
 * away. Processors stay: a processor that sleeps costs nothing.
 */
export async function shrinkVm(vm: Vm, ports: Ports<"store">): Promise<void> {
  const { memoryMiB } = await demandOn(vm, ports);
  await vm.shrink(memoryMiB);
}

/** Gives a running VM what all its containers' limits add up to; nothing is taken away. @throws KataError, and the monitor's errors */
export async function growVm(vm: Vm, agent: Agent, ports: Ports<"store">): Promise<void> {
  await growTo(vm, agent, await demandOn(vm, ports));
}

/** What a VM is to have for a request. More memory than the host has is no limit that could be reached. */
export function growthOf({ milliCpus, memoryMiB }: ResourceRequest): VmGrowth {
  return { vcpus: Math.ceil(milliCpus / 1000), memoryMiB: Math.min(memoryMiB, Math.trunc(totalmem() / MIB)) };
}

/** Gives a running VM what is asked for in all, beyond its usual size. @throws KataError, and the monitor's errors */
export async function growTo(vm: Vm, agent: Agent, request: ResourceRequest): Promise<void> {
  const wanted = growthOf(request);
  if (wanted.vcpus === 0 && wanted.memoryMiB === 0) return;
  const grown = await vm.grow(wanted);
  if (grown.vcpus === 0 && grown.memoryMiB === 0) return;
  await wrapAgentError(
    "bring new CPUs and memory up",
    agent.onlineCPUMem({ wait: true, nb_cpus: grown.vcpus, cpu_only: false }),
  );
}
