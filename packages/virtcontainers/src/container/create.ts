import type { ShimEnvironment } from "../environment.ts";
import { endOnAbort, interruptible } from "../interruption.ts";
import type { VmState } from "../ports/hypervisor.ts";
import { createSandbox, type SandboxConfig } from "../sandbox/create.ts";
import { resolvConfOf } from "../sandbox/resolver.ts";
import { growVm } from "../sandbox/sizing.ts";
import { UndoStack } from "../undo.ts";
import type { ContainerConfig } from "./config.ts";
import { beginContainer, type CreatedContainer, finishContainer } from "./creation.ts";
import { sharedMemoryBytes } from "./prepare-mounts.ts";
import { ShimWatch } from "./shim-watch.ts";

/** What is known of the container itself, or made for it. */
type OwnFields = "id" | "onBoot" | "onProcess" | "namespace" | "dns" | "resolvConf" | "shmBytes" | "owner" | "cgroup";

/** How a container's own sandbox is to be. */
export interface NewSandboxConfig extends Omit<SandboxConfig, OwnFields> {
  /** The network namespace that an engine has made for it; without it a new one is made. */
  readonly networkNamespace?: string;
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
  environment: ShimEnvironment,
): Promise<CreatedContainer> {
  const shimWatch = new ShimWatch();
  const signals = sandboxConfig.signal === undefined ? [] : [sandboxConfig.signal];
  const signal = AbortSignal.any([shimWatch.signal, ...signals]);
  return interruptible(`create container ${config.id}`, signal, () =>
    create(config, { ...sandboxConfig, signal }, environment, shimWatch),
  );
}

async function create(
  config: ContainerConfig,
  sandboxConfig: NewSandboxConfig,
  environment: ShimEnvironment,
  shimWatch: ShimWatch,
): Promise<CreatedContainer> {
  await using undo = new UndoStack();
  const { store, network } = environment;
  const { networkNamespace, ...ofSandbox } = sandboxConfig;
  const { signal } = ofSandbox;
  using namespace = network.open(networkNamespace);
  const place = {
    sandboxId: config.id,
    ...(signal === undefined ? {} : { signal }),
    sandboxOverhead: environment.hypervisor.overhead,
    ...(namespace === undefined ? {} : { networkNamespace: namespace.path }),
  };
  const { shim, cgroup, update } = await beginContainer(config, place, environment, undo);
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
      ...(shmBytes === undefined ? {} : { shmBytes }),
      id: config.id,
      owner: store.locationOf(config.id),
      cgroup: cgroup.place,
      ...(resolvConf === undefined ? {} : { resolvConf }),
      onBoot,
      onProcess: (pid) => {
        cgroup.add(pid);
      },
      ...(namespace === undefined ? {} : { namespace }),
    },
    environment,
  );
  undo.push(async () => {
    await sandbox[Symbol.asyncDispose]();
  });
  using _interruption = endOnAbort(signal, sandbox.vm);
  await sandbox.vm.join(config.id);
  await growVm(sandbox.vm, sandbox.agent, environment);
  const record = await finishContainer(config, { ...sandbox, shim, update }, environment);
  signal?.throwIfAborted();
  sandbox.commit();
  sandbox.agent.close();
  undo.keep();
  return { record, shim };
}
