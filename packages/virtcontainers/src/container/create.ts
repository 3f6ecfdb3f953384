import { bootId, identifyProcess } from "@kata-ts/linux";
import type { ShimEnvironment } from "../environment.ts";
import { laterHooks, runCreateHooks, runPoststopHooks } from "../hooks/hooks.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { Shim } from "../ports/shims.ts";
import type { ContainerRecord } from "../ports/store.ts";
import { asked, createSandbox, type LiveSandbox, type SandboxConfig } from "../sandbox/create.ts";
import { UndoStack } from "../undo.ts";
import type { ContainerConfig } from "./config.ts";
import { createInGuest, type Started } from "./in-guest.ts";
import { shareMounts } from "./share-mounts.ts";
import { terminalOf } from "./terminal.ts";

export interface CreatedContainer {
  readonly record: ContainerRecord;
  readonly shim: Shim;
}

/** How a container's own sandbox is to be. */
export interface NewSandboxConfig extends Omit<SandboxConfig, "id" | "onBoot" | "namespace"> {
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
  await using undo = new UndoStack();
  const { store, shims, network } = environment;
  const { networkNamespace, ...ofSandbox } = sandboxConfig;
  using namespace = network.open(networkNamespace);
  await store.claim(newRecord(config));
  undo.push(() => store.remove(config.id));

  // The shim loads its code while the VM boots; it takes over when the container is there.
  const shim = shims.launch({
    containerId: config.id,
    execId: config.id,
    rootfs: config.rootfs,
    ...(namespace === undefined ? {} : { networkNamespace: namespace.path }),
    ...terminalOf(config.spec.process, config.consoleSocket),
  });
  undo.push(() => {
    shim.kill();
  });

  // Hooks find the container by the shim's pid; one of them may make its network.
  const hooked = await store.update(config.id, (claimed) => ({ ...claimed, shim: shim.identity }));
  undo.push(() => runPoststopHooks(hooked, environment.warn));
  await runCreateHooks(config.spec, hooked);

  const onBoot = async (vm: VmState): Promise<void> => {
    const path = networkNamespace === undefined ? {} : { networkNamespace };
    await store.update(config.id, (claimed) => ({ ...claimed, vm: { ...vm, ...path } }));
  };
  const sandbox = await createSandbox(
    { ...ofSandbox, id: config.id, onBoot, ...(namespace === undefined ? {} : { namespace }) },
    environment,
  );
  undo.push(async () => {
    await sandbox[Symbol.asyncDispose]();
  });
  const { token, warnings } = await createFirstProcess(config, sandbox);
  for (const warning of warnings) environment.warn(warning);
  await shim.connect({ agent: sandbox.vm.state.agentUrl, ...(token === undefined ? {} : { token }) });

  const record = await store.update(config.id, (claimed) => ({ ...claimed, status: "created" }));
  sandbox.commit();
  sandbox.agent.close();
  undo.keep();
  return { record, shim };
}

/** Kata's name for it. */
const BUNDLE_ANNOTATION = "io.katacontainers.pkg.oci.bundle_path";

async function createFirstProcess(config: ContainerConfig, sandbox: LiveSandbox): Promise<Started> {
  const shared = await shareMounts(config, sandbox.vm);
  // What startContainer hooks are told of the bundle.
  const spec = { ...shared, annotations: { ...shared.annotations, [BUNDLE_ANNOTATION]: config.bundle } };
  const names = { container_id: config.id, exec_id: config.id };
  return asked(`create container ${config.id}`, createInGuest(sandbox.agent, names, spec));
}

function newRecord(config: ContainerConfig): ContainerRecord {
  const hooks = laterHooks(config.spec);
  return {
    version: 1,
    id: config.id,
    sandboxId: config.id,
    status: "creating",
    generation: 0,
    ociVersion: config.spec.ociVersion,
    bundle: config.bundle,
    rootfs: config.rootfs,
    created: new Date().toISOString(),
    annotations: config.annotations,
    bootId: bootId(),
    worker: identifyProcess(process.pid),
    ...(hooks === undefined ? {} : { hooks }),
  };
}
