import type { SpecBlockIO, SpecResources, SpecThrottleDevice } from "@kata-ts/agent-protocol";
import type { HostBlockIo, HostLimits, Throttle } from "../ports/cgroups.ts";
import type { VmOverhead } from "../ports/hypervisor.ts";

const MIB = 1024 * 1024;
const DEFAULT_PERIOD_US = 100_000;
/** Threads of a shim: each process of a container has one, so its limit of processes bounds them, too. */
const TASKS_PER_PROCESS = 16;
/** Threads of QEMU, virtiofsd and kata-proxy: processors, pools of workers. Measured: under 150. */
const TASKS_OF_VM = 1024;

/**
 * What the host's cgroup is given of a container's limits. The guest enforces them for the container; the host's kernel
 * gets them with room for the VM around the container, so that they bound a VM that does not keep to them and never slow
 * down one that does; and as they are the weights, processors and block I/O that only the host can apply.
 *
 * @param overhead of the VM; undefined for a container in another one's VM: its cgroup holds a shim only
 */
export function hostLimitsOf(resources: SpecResources | undefined, overhead: VmOverhead | undefined): HostLimits {
  const { cpu = {}, memory = {}, pids, blockIO } = resources ?? {};
  if (overhead === undefined) return {};
  const limit = Number(memory.limit ?? 0);
  const quota = Number(cpu.quota ?? 0);
  const period = Number(cpu.period ?? 0) || DEFAULT_PERIOD_US;
  const processes = Number(pids?.limit ?? 0);
  const blockIo = blockIoOf(blockIO);
  return {
    ...(limit > 0 ? { memoryBytes: limit + overhead.memoryMiB * MIB } : limit < 0 ? { memoryBytes: -1 } : {}),
    ...(quota === 0 ? {} : { cpuTime: { quota: quota < 0 ? -1 : quota + overhead.cpus * period, period } }),
    ...(processes === 0 ? {} : { tasks: processes < 0 ? -1 : processes * TASKS_PER_PROCESS + TASKS_OF_VM }),
    ...(cpu.shares === undefined ? {} : { cpuShares: Number(cpu.shares) }),
    ...(cpu.cpus === undefined ? {} : { cpus: cpu.cpus }),
    ...(cpu.mems === undefined ? {} : { mems: cpu.mems }),
    ...(blockIo === undefined ? {} : { blockIo }),
  };
}

function blockIoOf(asked: SpecBlockIO | undefined): HostBlockIo | undefined {
  const weight = asked?.weight ?? 0;
  const throttles = [
    ...throttlesOf("readBytes", asked?.throttleReadBpsDevice),
    ...throttlesOf("writeBytes", asked?.throttleWriteBpsDevice),
    ...throttlesOf("readOperations", asked?.throttleReadIOPSDevice),
    ...throttlesOf("writeOperations", asked?.throttleWriteIOPSDevice),
  ];
  if (weight === 0 && throttles.length === 0) return undefined;
  return { ...(weight === 0 ? {} : { weight }), throttles };
}

function throttlesOf(kind: Throttle["kind"], devices: readonly SpecThrottleDevice[] | undefined): Throttle[] {
  return (devices ?? []).map(({ major, minor, rate }) => ({
    kind,
    device: `${String(major)}:${String(minor)}`,
    perSecond: Number(rate),
  }));
}
