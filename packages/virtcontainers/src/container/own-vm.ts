import { endOnAbort, interruptible } from "../interruption.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { AllPorts } from "../ports/ports.ts";
import type { ContainerRecord } from "../ports/store.ts";
import type { SandboxConfig } from "../sandbox/create.ts";
import type { LiveSandbox } from "../sandbox/live-sandbox.ts";
import { resolvConfOf } from "../sandbox/resolver.ts";
import { UndoStack } from "../undo.ts";
import { checkCapabilities } from "./check-capabilities.ts";
import type { ContainerConfig } from "./config.ts";
import { type BegunContainer, beginContainer, type CreatedContainer } from "./creation.ts";
import { ShimWatch } from "./shim-watch.ts";

/** What of a sandbox is known of its first container, or made for it. */
export type OwnFields = "id" | "onBoot" | "onProcess" | "namespace" | "resolvConf" | "owner" | "cgroup" | "signal";

/** Where a container is to have a VM of its own. */
export interface OwnPlace {
  /** `create` or `restore`: what is said to be interrupted. */
  readonly verb: string;
  /** The network namespace that an engine has made for it; without it a new one is made. */
  readonly networkNamespace?: string | undefined;
  /** Aborting it takes back what has been made, whatever is being waited for. */
  readonly signal?: AbortSignal | undefined;
}

/** How a container comes into its VM. */
export interface OwnSteps {
  /** Acquires the VM. */
  readonly sandbox: (own: Pick<SandboxConfig, OwnFields>) => Promise<LiveSandbox>;
  /** What is done once the guest answers, before the VM outlives the call. @returns the container's record */
  readonly finish: (made: LiveSandbox & BegunContainer) => Promise<ContainerRecord>;
}

/**
 * Makes a container whose VM is its own. Whatever fails, and when its shim ends meanwhile, nothing is left.
 *
 * @param prepare what comes before anything is made; it is given the signal that ends the steps, too
 * @throws KataError
 */
export function inOwnVm(
  config: ContainerConfig,
  { verb, networkNamespace, signal: given }: OwnPlace,
  ports: AllPorts,
  prepare: (signal: AbortSignal) => OwnSteps | Promise<OwnSteps>,
): Promise<CreatedContainer> {
  const shimWatch = new ShimWatch();
  const signal = AbortSignal.any([shimWatch.signal, ...(given === undefined ? [] : [given])]);
  return interruptible(`${verb} container ${config.id}`, signal, async () => {
    checkCapabilities(config, ports.hypervisor);
    const steps = await prepare(signal);
    return make(config, { networkNamespace, signal, shimWatch }, ports, steps);
  });
}

async function make(
  config: ContainerConfig,
  {
    networkNamespace,
    signal,
    shimWatch,
  }: Pick<OwnPlace, "networkNamespace"> & { signal: AbortSignal; shimWatch: ShimWatch },
  ports: AllPorts,
  { sandbox: acquire, finish }: OwnSteps,
): Promise<CreatedContainer> {
  await using undo = new UndoStack();
  using namespace = ports.network.open(networkNamespace);
  const sandboxOverhead = ports.hypervisor.overhead;
  const place = { sandboxId: config.id, signal, sandboxOverhead, networkNamespace: namespace?.path };
  const begun = await beginContainer(config, place, ports, undo);
  const { shim, cgroup, update } = begun;
  shimWatch.watch(shim, config.id);
  undo.push(() => {
    shimWatch.stop();
  });
  const resolvConf = ports.network.isLimited === true ? undefined : resolvConfOf(config.spec);
  const onBoot = async (vm: VmState): Promise<void> => {
    const path = networkNamespace === undefined ? {} : { networkNamespace };
    const names = resolvConf === undefined || namespace === undefined ? {} : { resolvConf };
    await update({ vm: { ...vm, ...path, ...names, cgroup: cgroup.place } });
  };
  const onProcess = (pid: number): void => {
    cgroup.add(pid);
  };
  const owner = ports.store.locationOf(config.id);
  const own = { id: config.id, namespace, resolvConf, onBoot, onProcess, owner, cgroup: cgroup.place, signal };
  const sandbox = await acquire(own);
  undo.push(async () => {
    await sandbox[Symbol.asyncDispose]();
  });
  using _interruption = endOnAbort(signal, sandbox.vm);
  await sandbox.vm.join(config.id);
  const record = await finish({ ...sandbox, ...begun });
  signal.throwIfAborted();
  sandbox.commit();
  sandbox.agent.close();
  undo.keep();
  return { record, shim };
}
