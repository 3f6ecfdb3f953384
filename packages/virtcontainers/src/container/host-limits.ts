import type { SpecResources } from "@kata-ts/agent-protocol";
import type { HostLimits } from "../ports/cgroups.ts";

const MIB = 1024 * 1024;

/**
 * What the host's cgroup is given of a container's limits. The guest enforces them; the host's kernel gets the memory
 * limit with room for the VM around the container, and the weights and processors that only it can apply.
 *
 * @param overheadMiB of the VM; undefined for a container in another one's VM: its cgroup holds a shim only
 */
export function hostLimitsOf(resources: SpecResources | undefined, overheadMiB: number | undefined): HostLimits {
  const { cpu = {}, memory = {} } = resources ?? {};
  if (overheadMiB === undefined) return {};
  const limit = Number(memory.limit ?? 0);
  return {
    ...(limit > 0 ? { memoryBytes: limit + overheadMiB * MIB } : limit < 0 ? { memoryBytes: -1 } : {}),
    ...(cpu.shares === undefined ? {} : { cpuShares: Number(cpu.shares) }),
    ...(cpu.cpus === undefined ? {} : { cpus: cpu.cpus }),
    ...(cpu.mems === undefined ? {} : { mems: cpu.mems }),
  };
}
