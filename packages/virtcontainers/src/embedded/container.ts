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

  constructor(parts: ContainerParts) {
    this.id = parts.id;
    this.files = filesOfParts(parts);
    this.#parts = parts;
  }

  /** Lets the container's first process run. Where a limit ends the call, it may run or not: remove the container. */
  async start(limits: LimitOptions = {}): Promise<RunningContainer> {
    const { id, sandboxId } = this.#parts;
    return this.#parts.idle.during(() =>
      traced({ name: "container.start", sandboxId, containerId: id }, () =>
        askGuest(`start container ${id}`, limits, (call) => this.#start(call)),
      ),
    );
  }

  async #start(call: LimitedCall): Promise<RunningContainer> {
    const { id, agent, token, onExit, onStarted } = this.#parts;
    const guest = await openGuestProcess(this.#parts, { execId: id, ...(token && { token }) });
    const process = new Process(guest, {}, onExit);
    await wrapAgentError("set the guest's clock", setClock(agent));
    await agent.startContainer({ container_id: id }, call);
    onStarted(guest);
    // Where its status would take its output with it, only the caller may ask for it.
    if (token !== undefined) void this.#parts.idle.duringProcess(process.wait());
    return new RunningContainer(this.#parts, process);
  }

  /** Once it is gone, again is fine; where it failed, again tries again. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.remove();
  }
}
