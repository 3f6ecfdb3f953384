import type { ContainerId } from "../identifiers.ts";
import { setClock } from "../sandbox/clock.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import { askGuest, type LimitedCall } from "./ask-guest.ts";
import type { ContainerParts } from "./container-parts.ts";
import type { ContainerFiles } from "./files/container-files.ts";
import { filesOfParts } from "./files/files-of-parts.ts";
import type { LimitOptions } from "./limit.ts";
import { openGuestProcess } from "./open-guest-process.ts";
import { Process } from "./process.ts";
import { RunningContainer } from "./running-container.ts";
import { traced } from "./tracing.ts";

/** A container of a sandbox, before its first process runs. Disposing it ends its processes and removes it. */
export class Container implements AsyncDisposable {
  readonly id: ContainerId;
  readonly files: ContainerFiles;
  readonly #parts: ContainerParts;
  #isOutOfGuest = false;
  #removal: Promise<void> | undefined;

  constructor(parts: ContainerParts) {
    this.id = parts.id;
    this.files = filesOfParts(parts);
    this.#parts = parts;
  }

  /** Lets the container's first process run. Where a limit ends the call, it may run or not: remove the container. */
  async start(limits: LimitOptions = {}): Promise<RunningContainer> {
    const { id, sandboxId } = this.#parts;
    const started = traced({ name: "container.start", sandboxId, containerId: id }, () =>
      askGuest(`start container ${id}`, limits, (call) => this.#start(call)),
    );
    return this.#parts.idle.during(started);
  }

  async #start(call: LimitedCall): Promise<RunningContainer> {
    const { id, agent, token, onExit, onStarted } = this.#parts;
    const guest = await openGuestProcess(this.#parts, { execId: id, ...(token && { token }) });
    const process = new Process(guest, {}, onExit);
    await wrapAgentError("set the guest's clock", setClock(agent));
    await agent.startContainer({ container_id: id }, call);
    onStarted();
    // Where its status would take its output with it, only the caller may ask for it.
    if (token !== undefined) this.#parts.idle.during(process.wait()).catch(() => undefined);
    return new RunningContainer(this.#parts, process);
  }

  /** Once it is gone, again is fine; where it failed, again tries again. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#removal ??= this.#parts.gate
      .pass(() => this.#remove())
      .catch((error: unknown) => {
        this.#removal = undefined;
        throw error;
      });
    await this.#removal;
  }

  async #remove(): Promise<void> {
    const { agent, vm, hasDisks, limits, onRemoved } = this.#parts;
    try {
      if (!this.#isOutOfGuest)
        await wrapAgentError(`remove container ${this.id}`, agent.removeContainer({ container_id: this.id }));
      this.#isOutOfGuest = true; // What fails after it is tried again without it: the guest knows the container no more.
      await vm.unshare(this.id);
      if (hasDisks) await vm.unplugDisk(this.id);
      await limits.remove(this.id);
    } catch (error) {
      // With its VM, it is gone already.
      if (vm.isRunning()) throw error;
    }
    onRemoved();
  }
}
