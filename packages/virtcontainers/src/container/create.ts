import { specToMessage } from "@kata-ts/agent-protocol";
import { bootId, identifyProcess } from "@kata-ts/linux";
import type { ShimEnvironment } from "../environment.ts";
import type { VmState } from "../ports/hypervisor.ts";
import type { Shim } from "../ports/shims.ts";
import type { ContainerRecord } from "../ports/store.ts";
import { asked, createSandbox, type LiveSandbox, type SandboxConfig } from "../sandbox/create.ts";
import { UndoStack } from "../undo.ts";
import type { ContainerConfig } from "./config.ts";
import { shareMounts } from "./share-mounts.ts";

export interface CreatedContainer {
  readonly record: ContainerRecord;
  readonly shim: Shim;
}

/**
 * Creates a container in a sandbox of its own: its first process exists and waits for `startContainer`. The steps, in
 * order; each is taken back if a later one fails.
 *
 * @throws KataError
 */
export async function createContainer(
  config: ContainerConfig,
  sandboxConfig: Omit<SandboxConfig, "id" | "onBoot">,
  environment: ShimEnvironment,
): Promise<CreatedContainer> {
  await using undo = new UndoStack();
  const { store, shims, network } = environment;
  await store.claim(newRecord(config));
  undo.push(() => store.remove(config.id));

  // The shim loads its code while the VM boots; it takes over when the container is there.
  const shim = shims.launch({
    containerId: config.id,
    execId: config.id,
    rootfs: config.rootfs,
    ...(network.namespace === undefined ? {} : { networkNamespace: network.namespace }),
  });
  undo.push(() => {
    shim.kill();
  });

  const onBoot = async (vm: VmState): Promise<void> => {
    await store.update(config.id, (claimed) => ({ ...claimed, vm }));
  };
  const sandbox = await createSandbox({ ...sandboxConfig, id: config.id, onBoot }, environment);
  undo.push(async () => {
    await sandbox[Symbol.asyncDispose]();
  });
  await createInGuest(config, sandbox);
  await shim.connect(sandbox.vm.state.agentUrl);

  const record = await store.update(config.id, (claimed) => ({
    ...claimed,
    status: "created",
    shim: shim.identity,
  }));
  sandbox.commit();
  sandbox.agent.close();
  undo.keep();
  return { record, shim };
}

async function createInGuest(config: ContainerConfig, sandbox: LiveSandbox): Promise<void> {
  const spec = await shareMounts(config, sandbox.vm);
  const request = { container_id: config.id, exec_id: config.id, OCI: specToMessage(spec) };
  await asked(`create container ${config.id}`, sandbox.agent.createContainer(request));
}

function newRecord(config: ContainerConfig): ContainerRecord {
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
  };
}
