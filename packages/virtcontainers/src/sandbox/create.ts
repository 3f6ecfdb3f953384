import type { NetworkNamespace } from "@kata-ts/netns";
import { engineResolver, readResolvConf } from "@kata-ts/proxy";
import type { Environment } from "../environment.ts";
import type { ContainerId } from "../identifiers.ts";
import { endOnAbort } from "../interruption.ts";
import type { Agent } from "../ports/agent.ts";
import type { RecordedCgroup } from "../ports/cgroups.ts";
import type { BootRequest, Vm, VmState } from "../ports/hypervisor.ts";
import { UndoStack } from "../undo.ts";
import { asked } from "./asked.ts";
import { setClockRoughly } from "./clock.ts";
import { serveNames } from "./resolver.ts";
import { sharedMemory } from "./shared-memory.ts";
import { orBootFailure, waitForAgent } from "./wait-for-agent.ts";

export interface SandboxConfig {
  readonly id: ContainerId;
  /** What the guest's UTS namespace is named; at most 64 bytes. */
  readonly hostname: string;
  /** All containers of the sandbox see each other's processes. */
  readonly sharePidNamespace: boolean;
  /** What its processes live in, and whose interfaces it takes over; without it the caller's, and none. */
  readonly namespace?: NetworkNamespace;
  /** Bytes of the shared memory that its containers may have in common; 64 MiB by default. */
  readonly shmBytes?: number;
  /** Who connects to the loopback of `namespace` reaches the guest's: engines forward ports of pods so. */
  readonly forwardLoopback?: boolean;
  /** Lines of resolv.conf. */
  readonly dns?: readonly string[];
  /** Or a file of the host that has them, which an engine may change later. */
  readonly resolvConf?: string;
  /** What the guest does before its first container. */
  readonly guest?: GuestSetup;
  /** Milliseconds that a guest may take to boot. */
  readonly bootDeadlineMs: number;
  /** Called once the VM exists, before its guest is up: it has to be found again should this process die. */
  readonly onBoot?: (vm: VmState) => Promise<void>;
  /** Called with each process of the VM as it is started. */
  readonly onProcess?: (pid: number) => void;
  /** BootRequest.owner. */
  readonly owner?: string;
  /** BootRequest.cgroup. */
  readonly cgroup?: RecordedCgroup;
  /** Aborting it takes back what has been made, whatever is being waited for. */
  readonly signal?: AbortSignal;
}

export interface GuestSetup {
  /** Loaded into the guest's kernel, by name and parameters: of the guest's own modules. */
  readonly kernelModules?: readonly { readonly name: string; readonly parameters: readonly string[] }[];
  /** A directory of the guest with programs in `prestart`, `poststart` and `poststop`, run for every container. */
  readonly hookPath?: string;
}

/** A sandbox without containers: a running VM whose agent is ready for them. */
export interface LiveSandbox extends AsyncDisposable {
  readonly id: ContainerId;
  readonly vm: Vm;
  readonly agent: Agent;
  /** From now on the sandbox outlives this process. */
  commit(): void;
}

const MAX_HOSTNAME_BYTES = 64;

/**
 * Acquires a VM, waits for its agent, and plugs in what is this sandbox's. Whatever fails, nothing is left.
 *
 * @throws KataError KATA_BOOT, KATA_PROXY, KATA_CONFIG, KATA_AGENT
 */
export async function createSandbox(config: SandboxConfig, environment: Environment): Promise<LiveSandbox> {
  await using undo = new UndoStack();
  const { namespace, onProcess, owner, cgroup, signal } = config;
  const dns = config.resolvConf === undefined ? (config.dns ?? []) : readResolvConf(config.resolvConf);
  // Of the caller's own network a guest may ask nothing.
  const resolver = namespace === undefined ? undefined : engineResolver(dns);
  const vm = await environment.hypervisor.boot({
    sandboxId: config.id,
    ...(namespace === undefined ? {} : { networkNamespace: namespace.path }),
    ...(namespace === undefined ? {} : sourceOfNames(config, resolver)),
    forwardLoopback: namespace !== undefined && config.forwardLoopback === true,
    ...(onProcess === undefined ? {} : { onProcess }),
    ...(owner === undefined ? {} : { owner }),
    ...(cgroup === undefined ? {} : { cgroup }),
    ...(signal === undefined ? {} : { signal }),
    onStep: (step) => environment.trace?.(step, config.id),
  });
  undo.push(() => vm.stop());
  using _interruption = endOnAbort(signal, vm);
  await config.onBoot?.(vm.state);
  environment.trace?.("vm-started", config.id);
  // On the host's side, while the guest boots.
  using network =
    namespace === undefined ? undefined : await orBootFailure(vm, environment.network.connect(vm, namespace));
  const agent = environment.connectAgent(vm.state.agentUrl);
  undo.push(() => {
    agent.close();
  });
  const limits = { deadlineMs: config.bootDeadlineMs, ...(signal === undefined ? {} : { signal }) };
  if (!vm.answered) await waitForAgent(vm, agent, limits);
  environment.trace?.("agent-up", config.id);
  const sharedTree = await orBootFailure(vm, vm.plugSharedTree());
  environment.trace?.("shared tree plugged in", config.id);
  if (network !== undefined) {
    await orBootFailure(vm, network.attach(vm, agent));
    environment.trace?.("network attached", config.id);
  }
  await asked("prepare the sandbox", setUpGuest(agent, { ...config, dns }, sharedTree));
  if (resolver !== undefined) await serveNames(agent, resolver, environment.warn);
  environment.trace?.("sandbox-created", config.id);
  undo.keep();
  return {
    id: config.id,
    vm,
    agent,
    commit: () => {
      vm.commit();
    },
    [Symbol.asyncDispose]: async () => {
      agent.close();
      await vm.stop();
    },
  };
}

/** What the guest may ask: the engine's resolver while the file names it, or one that is there from the start. */
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
    storages: [sharedTree, sharedMemory(config.shmBytes)],
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
