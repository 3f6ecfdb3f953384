import type { NetworkNamespace } from "@kata-ts/netns";
import { engineResolver, readResolvConf } from "@kata-ts/proxy";
import type { ContainerId } from "../identifiers.ts";
import { endOnAbort } from "../interruption.ts";
import type { Agent } from "../ports/agent.ts";
import type { RecordedCgroup } from "../ports/cgroups.ts";
import type { BootRequest, Vm, VmGrowth, VmState } from "../ports/hypervisor.ts";
import type { Ports } from "../ports/ports.ts";
import { UndoStack } from "../undo.ts";
import { setClockRoughly } from "./clock.ts";
import { type LiveSandbox, liveSandbox } from "./live-sandbox.ts";
import { serveNames } from "./resolver.ts";
import { sharedMemory } from "./shared-memory.ts";
import { orBootFailure, waitForAgent } from "./wait-for-agent.ts";
import { wrapAgentError } from "./wrap-agent-error.ts";

export interface SandboxConfig {
  readonly id: ContainerId;
  /** What the guest's UTS namespace is named; at most 64 bytes. */
  readonly hostname: string;
  /** All containers of the sandbox see each other's processes. */
  readonly sharePidNamespace: boolean;
  /** What its processes live in, and whose interfaces it takes over; without it the caller's, and none. */
  readonly namespace?: NetworkNamespace | undefined;
  /** Bytes of the shared memory that its containers may have in common; 64 MiB by default. */
  readonly shmBytes?: number | undefined;
  /** Who connects to the loopback of `namespace` reaches the guest's: engines forward ports of pods so. */
  readonly forwardLoopback?: boolean | undefined;
  /** Lines of resolv.conf. */
  readonly dns?: readonly string[] | undefined;
  /** Or a file of the host that has them, which an engine may change later. */
  readonly resolvConf?: string | undefined;
  /** BootRequest.growth. */
  readonly growth?: VmGrowth | undefined;
  /** What the guest does before its first container. */
  readonly guest?: GuestSetup | undefined;
  /** Milliseconds that a guest may take to boot. */
  readonly bootDeadlineMs: number;
  /** Called once the VM exists, before its guest is up: it has to be found again should this process die. */
  readonly onBoot?: ((vm: VmState) => Promise<void>) | undefined;
  /** Called with each process of the VM as it is started. */
  readonly onProcess?: ((pid: number) => void) | undefined;
  /** BootRequest.owner. */
  readonly owner?: string | undefined;
  /** BootRequest.detachable. */
  readonly detachable?: boolean | undefined;
  /** BootRequest.cgroup. */
  readonly cgroup?: RecordedCgroup | undefined;
  /** Aborting it takes back what has been made, whatever is being waited for. */
  readonly signal?: AbortSignal | undefined;
}

export interface GuestSetup {
  /** Loaded into the guest's kernel, by name and parameters: of the guest's own modules. */
  readonly kernelModules?: readonly { readonly name: string; readonly parameters: readonly string[] }[];
  /** A directory of the guest with programs in `prestart`, `poststart` and `poststop`, run for every container. */
  readonly hookPath?: string | undefined;
}

const MAX_HOSTNAME_BYTES = 64;

/**
 * Acquires a VM, waits for its agent, and plugs in what is this sandbox's. Whatever fails, nothing is left.
 *
 * @throws KataError KATA_BOOT, KATA_PROXY, KATA_CONFIG, KATA_AGENT
 */
export async function createSandbox(config: SandboxConfig, ports: Ports): Promise<LiveSandbox> {
  await using undo = new UndoStack();
  const { namespace, onProcess, owner, cgroup, signal } = config;
  const dns = config.resolvConf === undefined ? (config.dns ?? []) : readResolvConf(config.resolvConf);
  // Of the caller's own network a guest may ask nothing.
  const resolver = namespace === undefined ? undefined : engineResolver(dns);
  const vm = await ports.hypervisor.boot({
    sandboxId: config.id,
    networkNamespace: namespace?.path,
    ...(namespace === undefined ? {} : sourceOfNames(config, resolver)),
    forwardLoopback: namespace !== undefined && config.forwardLoopback === true,
    onProcess,
    owner,
    cgroup,
    growth: config.growth,
    detachable: config.detachable,
    signal,
    onStep: (step) => ports.trace?.(step, config.id),
  });
  undo.push(() => vm.stop());
  using _interruption = endOnAbort(signal, vm);
  await config.onBoot?.(vm.state);
  ports.trace?.("vm-started", config.id);
  // On the host's side, while the guest boots.
  using network = namespace === undefined ? undefined : await orBootFailure(vm, ports.network.connect(vm, namespace));
  const agent = ports.connectAgent(vm.state.agentUrl);
  undo.push(() => {
    agent.close();
  });
  const limits = { deadlineMs: config.bootDeadlineMs, signal };
  if (!vm.answered) await waitForAgent(vm, agent, limits);
  ports.trace?.("agent-up", config.id);
  const sharedTree = await orBootFailure(vm, vm.plugSharedTree());
  ports.trace?.("shared tree plugged in", config.id);
  if (network !== undefined) {
    await orBootFailure(vm, network.attach(vm, agent));
    ports.trace?.("network attached", config.id);
  }
  await wrapAgentError("prepare the sandbox", setUpGuest(agent, { ...config, dns }, sharedTree));
  if (resolver !== undefined) await serveNames(agent, resolver, ports.warn);
  signal?.throwIfAborted(); // Its VM is ending.
  ports.trace?.("sandbox-created", config.id);
  undo.keep();
  return liveSandbox(config.id, vm, agent);
}

/** The resolver that the guest may ask: the engine's while the file names it, or that of the namespace from the start. */
function sourceOfNames(
  { resolvConf }: SandboxConfig,
  resolver: string | undefined,
): Pick<BootRequest, "resolver" | "resolvConf"> {
  if (resolvConf !== undefined) return { resolvConf };
  return resolver === undefined ? {} : { resolver };
}

async function setUpGuest(
  agent: Agent,
  config: SandboxConfig,
  sharedTree: Awaited<ReturnType<Vm["plugSharedTree"]>>,
): Promise<void> {
  const created = agent.createSandbox({
    hostname: Buffer.from(config.hostname).subarray(0, MAX_HOSTNAME_BYTES).toString(),
    dns: [...(config.dns ?? [])],
    storages: [...(sharedTree === undefined ? [] : [sharedTree]), sharedMemory(config.shmBytes)],
    sandbox_pidns: config.sharePidNamespace,
    sandbox_id: config.id,
    guest_hook_path: config.guest?.hookPath ?? "",
    kernel_modules: (config.guest?.kernelModules ?? []).map(({ name, parameters }) => ({
      name,
      parameters: [...parameters],
    })),
  });
  await Promise.all([created, setClockRoughly(agent)]);
}
