import { endOnAbort, interruptible } from "../interruption.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { AllPorts } from "../ports/ports.ts";
import { createSandbox, type SandboxConfig } from "../sandbox/create.ts";
import { resolvConfOf } from "../sandbox/resolver.ts";
import { growthOf, growVm, resourceRequestOf } from "../sandbox/sizing.ts";
import { UndoStack } from "../undo.ts";
import { checkCapabilities } from "./check-capabilities.ts";
import type { ContainerConfig } from "./config.ts";
import { beginContainer, type CreatedContainer, finishContainer } from "./creation.ts";
import { sharedMemoryBytes } from "./prepare-mounts.ts";
import { ShimWatch } from "./shim-watch.ts";

/** What is known of the container itself, or made for it. */
type OwnFields =
  | "id"
  | "growth"
  | "onBoot"
  | "onProcess"
  | "namespace"
  | "dns"
  | "resolvConf"
  | "shmBytes"
  | "owner"
  | "cgroup";

/** How a container's own sandbox is to be. */
export interface NewSandboxConfig extends Omit<SandboxConfig, OwnFields> {
  /** The network namespace that an engine has made for it; without it a new one is made. */
  readonly networkNamespace?: string | undefined;
}

/**
 * Creates a container in a sandbox of its own: its first process exists and waits for `startContainer`. The steps, in
 * order; each is taken back if a later one fails.
 *
 * @throws KataError
 */
export async function createContainer(
  config: ContainerConfig,
  sandboxConfig: NewSandboxConfig,
  ports: AllPorts,
): Promise<CreatedContainer> {
  return createWith(finishContainer, config, sandboxConfig, ports);
}

/**
 * Creates a sandbox without a container, for containers that join it. Its record stands for it, and `deleteContainer` takes it back;
 * no process of a guest belongs to it.
 *
 * @param config of which the guest gets nothing
 * @throws KataError
 */
export async function createEmptySandbox(
  config: ContainerConfig,
  sandboxConfig: NewSandboxConfig,
  ports: AllPorts,
): Promise<CreatedContainer> {
  return createWith((_, { update }) => update({ status: "running" }), config, sandboxConfig, ports);
}

/** What is done once the guest answers, before the sandbox outlives the call. */
type Finish = typeof finishContainer;

function createWith(
  finish: Finish,
  config: ContainerConfig,
  sandboxConfig: NewSandboxConfig,
  ports: AllPorts,
): Promise<CreatedContainer> {
  const shimWatch = new ShimWatch();
  const signals = sandboxConfig.signal === undefined ? [] : [sandboxConfig.signal];
  const signal = AbortSignal.any([shimWatch.signal, ...signals]);
  return interruptible(`create container ${config.id}`, signal, () =>
    create(config, { ...sandboxConfig, signal }, ports, { shimWatch, finish }),
  );
}

async function create(
  config: ContainerConfig,
  sandboxConfig: NewSandboxConfig,
  ports: AllPorts,
  { shimWatch, finish }: { readonly shimWatch: ShimWatch; readonly finish: Finish },
): Promise<CreatedContainer> {
  checkCapabilities(config, ports.hypervisor);
  await using undo = new UndoStack();
  const { store, network } = ports;
  const { networkNamespace, ...ofSandbox } = sandboxConfig;
  const { signal } = ofSandbox;
  using namespace = network.open(networkNamespace);
  const place = {
    sandboxId: config.id,
    signal,
    sandboxOverhead: ports.hypervisor.overhead,
    networkNamespace: namespace?.path,
  };
  const { shim, cgroup, update } = await beginContainer(config, place, ports, undo);
  shimWatch.watch(shim, config.id);
  undo.push(() => {
    shimWatch.stop();
  });

  const onBoot = async (vm: VmState): Promise<void> => {
    const path = networkNamespace === undefined ? {} : { networkNamespace };
    const names = resolvConf === undefined || namespace === undefined ? {} : { resolvConf };
    const state = { ...vm, ...path, ...names, cgroup: cgroup.place };
    await update({ vm: state });
  };
  const resolvConf = resolvConfOf(config.spec);
  const shmBytes = await sharedMemoryBytes(config.spec);
  const sandbox = await createSandbox(
    {
      ...ofSandbox,
      shmBytes,
      id: config.id,
      growth: growthOf(resourceRequestOf(config.spec.linux?.resources)),
      owner: store.locationOf(config.id),
      cgroup: cgroup.place,
      resolvConf,
      onBoot,
      onProcess: (pid) => {
        cgroup.add(pid);
      },
      namespace,
    },
    ports,
  );
  undo.push(async () => {
    await sandbox[Symbol.asyncDispose]();
  });
  using _interruption = endOnAbort(signal, sandbox.vm);
  await sandbox.vm.join(config.id);
  await growVm(sandbox.vm, sandbox.agent, ports);
  const record = await finish(config, { ...sandbox, shim, update }, ports);
  signal?.throwIfAborted();
  sandbox.commit();
  sandbox.agent.close();
  undo.keep();
  return { record, shim };
}
