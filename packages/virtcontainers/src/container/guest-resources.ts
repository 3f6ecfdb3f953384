import type { SpecResources } from "@kata-ts/agent-protocol";

/** A container's limits as the guest gets them. */
export function guestResources(resources: SpecResources): SpecResources {
  const { cpu, memory, ...others } = resources;
  return {
    ...without(others, LEFT_OUT),
    ...(cpu === undefined ? {} : { cpu: without(withoutUnset(cpu), LEFT_OUT_OF_CPU) }),
    ...(memory === undefined ? {} : { memory: without(withoutUnset(memory), LEFT_OUT_OF_MEMORY) }),
  };
}

/** Limits that the guest is not told of: its runtime would refuse the container. The host applies those without a reason. */
type LeftOut = Readonly<Record<string, string | undefined>>;

const LEFT_OUT: LeftOut = {
  // The devices are the host's, by the host's numbers, and so are the processes that do the guest's I/O.
  blockIO: undefined,
  rdma: "the guest has no RDMA devices",
  network: "the guest has no net_cls and net_prio controllers",
};
const REALTIME = "cgroup v2 of the guest has no budget of real-time CPU";
const LEFT_OUT_OF_CPU: LeftOut = {
  // The host's numbers mean nothing in the guest.
  cpus: undefined,
  mems: undefined,
  realtimeRuntime: REALTIME,
  realtimePeriod: REALTIME,
};
const ONE_LIMIT = "cgroup v2 of the guest counts it under the limit of memory";
const LEFT_OUT_OF_MEMORY: LeftOut = {
  kernel: ONE_LIMIT,
  kernelTCP: ONE_LIMIT,
  swappiness: "the guest has no swap",
  disableOOMKiller: "cgroup v2 of the guest always ends what runs out of memory",
  // Of cgroup v1, where limits below others may be left out of their sum.
  useHierarchy: "cgroup v2 of the guest always counts what is below",
  checkBeforeUpdate: "a limit below what is used is the guest's kernel's to meet",
};
const LEFT_OUT_OF_BLOCK_IO: LeftOut = {
  leafWeight: "Linux knows it no more",
  weightDevice: "the host applies one weight for all devices",
};
const OF_ITS_VM = "its VM does its I/O, in a cgroup that is not this container's";

/**
 * What of a container's limits is applied neither in the guest nor on the host, each with its reason.
 *
 * @param hasVm whether the VM is in the cgroup of this container; false for a container that has joined another's VM, and without cgroups
 */
export function unappliedResources(resources: SpecResources | undefined, hasVm: boolean): string[] {
  const { cpu, memory, blockIO } = resources ?? {};
  return [
    ...reasons("", resources, LEFT_OUT),
    ...reasons(".cpu", cpu, LEFT_OUT_OF_CPU),
    ...reasons(".memory", memory, LEFT_OUT_OF_MEMORY),
    ...(hasVm ? reasons(".blockIO", blockIO, LEFT_OUT_OF_BLOCK_IO) : reasons("", { blockIO }, { blockIO: OF_ITS_VM })),
  ];
}

function reasons(path: string, limits: object | undefined, leftOut: LeftOut): string[] {
  return Object.entries(limits ?? {}).flatMap(([name, value]) => {
    const reason = leftOut[name];
    return reason === undefined || isUnasked(value) ? [] : [`linux.resources${path}.${name} is not applied: ${reason}`];
  });
}

/** Engines write empty objects, zero and false for what their user did not ask for. */
function isUnasked(value: unknown): boolean {
  if (typeof value === "object" && value !== null) return Object.values(value).every(isUnasked);
  return value === undefined || value === null || value === false || isZero(value) || value === "";
}

/** Engines written in Go write 0 for what is not asked for; runc takes it so, and crun does not. */
function withoutUnset<T extends object>(limits: T): T {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => !isZero(value))) as T;
}

function isZero(value: unknown): boolean {
  return value === 0 || value === 0n;
}

function without<T extends object>(limits: T, leftOut: LeftOut): T {
  return Object.fromEntries(Object.entries(limits).filter(([name]) => !(name in leftOut))) as T;
}
