import type { Container } from "./container.ts";
import { disposedWhenLate, type LimitOptions } from "./limit.ts";
import { NetworkedSandbox } from "./networked-sandbox.ts";
import type { ProcessResult } from "./process-result.ts";
import { checkOptions } from "./process-shape.ts";
import { type ResultOptions, resultOptionsOf } from "./result-options.ts";
import type { SandboxContainers } from "./sandbox-containers.ts";
import type { ContainerOptions } from "./sandbox-options.ts";
import { containerAndResultShape, containerShape } from "./sandbox-shape.ts";
import { startOrRemove } from "./start-or-remove.ts";

/** What of a sandbox is about making containers in it. */
export abstract class PopulatedSandbox extends NetworkedSandbox {
  protected abstract readonly all: Pick<SandboxContainers, "create" | "ids">;

  /** The ids of its containers. */
  get containers(): readonly string[] {
    return this.all.ids;
  }

  /**
   * Runs a container to the end of its first process, and removes it. Where the guest has not started that within the limits, the call
   * ends at once, and the container is removed as soon as the guest answers.
   *
   * @throws KataError KATA_CONFIG for options that are none, KATA_TIMEOUT; the reason of a signal that is aborted before it runs: nothing
   * has run then
   */
  async run(options: ContainerOptions & ResultOptions): Promise<ProcessResult> {
    checkOptions(containerAndResultShape, options, "run");
    return await this.during(() => this.#run(options), "a call of run");
  }

  async #run(options: ContainerOptions & ResultOptions): Promise<ProcessResult> {
    const { signal, timeoutMs } = options;
    const container = await disposedWhenLate("the creation of a container", { signal }, () => this.all.create(options));
    const { process: first } = await startOrRemove(container, { signal, timeoutMs });
    await using _removed = container;
    return await first.result(resultOptionsOf(options));
  }

  /**
   * Where a limit ends the call, what the guest has made by then is removed.
   *
   * @throws KataError KATA_CONFIG for options that are none, KATA_TIMEOUT; the reason of an aborted signal
   */
  async createContainer(options: ContainerOptions & LimitOptions): Promise<Container> {
    checkOptions(containerShape, options, "createContainer");
    return await disposedWhenLate("the creation of a container", options, () => this.all.create(options));
  }
}
