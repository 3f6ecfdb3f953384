import type { SpecResources } from "@kata-ts/agent-protocol";
import type { Guest } from "../container/first-process.ts";
import type { ResourceRequest } from "../ports/store.ts";
import { growTo, resourceRequestOf, sumOf } from "../sandbox/sizing.ts";

/** What the limits of a sandbox's containers ask of its VM, which grows by it as a runtime's does. */
export class SandboxLimits {
  readonly #guest: Guest;
  readonly #requests: Map<string, ResourceRequest> = new Map();

  constructor(guest: Guest) {
    this.#guest = guest;
  }

  /** A container has these limits from now on; what is not named stays. Before the guest enforces them the VM has to grow. */
  async set(containerId: string, resources: SpecResources | undefined): Promise<void> {
    this.#requests.set(containerId, resourceRequestOf(resources, this.#requests.get(containerId)));
    const { vm, agent } = this.#guest;
    await growTo(vm, agent, sumOf([...this.#requests.values()]));
  }

  /** What a container's limits ask for. */
  requestOf(containerId: string): ResourceRequest {
    return this.#requests.get(containerId) ?? resourceRequestOf(undefined);
  }

  /** A container that the VM was restored with has these limits already. */
  adopt(containerId: string, request: ResourceRequest): void {
    this.#requests.set(containerId, request);
  }

  /** Gives back memory that no limit asks for any more, where a VM's memory can be taken away. */
  async settle(): Promise<void> {
    const { vm } = this.#guest;
    if (vm.isRunning()) await vm.shrink(sumOf([...this.#requests.values()]).memoryMiB);
  }

  /** A container is gone. */
  async remove(containerId: string): Promise<void> {
    this.#requests.delete(containerId);
    await this.settle();
  }
}
