import type { AllPorts } from "../ports/ports.ts";
import { createSandbox, type SandboxConfig } from "../sandbox/create.ts";
import { growthOf, growVm, resourceRequestOf } from "../sandbox/sizing.ts";
import type { ContainerConfig } from "./config.ts";
import { type CreatedContainer, finishContainer } from "./creation.ts";
import { inOwnVm, type OwnFields, type OwnPlace } from "./own-vm.ts";
import { sharedMemoryBytes } from "./prepare-mounts.ts";

/** How a container's own sandbox is to be. */
export interface NewSandboxConfig
  extends Omit<SandboxConfig, OwnFields | "growth" | "dns" | "shmBytes">,
    Omit<OwnPlace, "verb"> {}

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
  { networkNamespace, signal, ...ofSandbox }: NewSandboxConfig,
  ports: AllPorts,
): Promise<CreatedContainer> {
  return inOwnVm(config, { verb: "create", networkNamespace, signal }, ports, () => ({
    sandbox: async (own) => {
      const growth = growthOf(resourceRequestOf(config.spec.linux?.resources));
      const shmBytes = await sharedMemoryBytes(config.spec);
      return createSandbox({ ...ofSandbox, ...own, growth, shmBytes }, ports);
    },
    finish: async (made) => {
      await growVm(made.vm, made.agent, ports);
      return finish(config, made, ports);
    },
  }));
}
