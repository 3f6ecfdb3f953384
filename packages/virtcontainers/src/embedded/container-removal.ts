import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import type { ContainerParts } from "./container-parts.ts";

/**
 * Takes a container out of its sandbox: its processes end, and what it had of the VM is given back. One of a sandbox that was let go of stays
 * in it, as that stays when its scope is left.
 */
export class ContainerRemoval {
  readonly #parts: Omit<ContainerParts, "remove">;
  #isOutOfGuest = false;
  #removal: Promise<void> | undefined;

  constructor(parts: Omit<ContainerParts, "remove">) {
    this.#parts = parts;
  }

  /** Once it is gone, again is fine; where it failed, again tries again. */
  async run(): Promise<void> {
    this.#removal ??= this.#parts.gate
      .pass(() => this.#remove())
      .catch((error: unknown) => {
        this.#removal = undefined;
        throw error;
      });
    await this.#removal;
  }

  async #remove(): Promise<void> {
    const { id, agent, vm, hasDisks, limits, isLetGo, onRemoved } = this.#parts;
    if (isLetGo()) return;
    try {
      if (!this.#isOutOfGuest)
        await wrapAgentError(`remove container ${id}`, agent.removeContainer({ container_id: id }));
      this.#isOutOfGuest = true; // What fails after it is tried again without it: the guest knows the container no more.
      await vm.unshare(id);
      if (hasDisks) await vm.unplugDisk(id);
      await limits.remove(id);
    } catch (error) {
      // With its VM, it is gone already.
      if (vm.isRunning()) throw error;
    }
    onRemoved();
  }
}
