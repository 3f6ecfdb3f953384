import type { SpecResources } from "@kata-ts/agent-protocol";
import { escapeControls, randomUuid } from "@kata-ts/linux";
import { guestResources } from "../container/guest-resources.ts";
import { execInGuest, updateInGuest } from "../container/in-guest.ts";
import type { ContainerStats } from "../container/stats.ts";
import type { ContainerId } from "../identifiers.ts";
import { setClock } from "../sandbox/clock.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import type { ContainerParts } from "./container-parts.ts";
import { type ProcessDefaults, processBeside } from "./default-spec.ts";
import { openGuestProcess } from "./open-guest-process.ts";
import { Process, type ProcessResult, signalNumber } from "./process.ts";
import { checkOptions, processAndResultShape, processShape } from "./process-shape.ts";
import { type ResultOptions, resultOptionsOf } from "./result-options.ts";
import { traced } from "./tracing.ts";

/** A container whose first process was started: what can be done with one only then. */
export class RunningContainer {
  readonly id: ContainerId;
  /** Its first process; when it ends, all others do. */
  readonly process: Process;
  readonly #parts: ContainerParts;

  constructor(parts: ContainerParts, process: Process) {
    this.id = parts.id;
    this.process = process;
    this.#parts = parts;
  }

  /**
   * Runs another process in it, as the first one's user, with its environment and in its directory, unless `options` say
   * otherwise.
   *
   * @throws KataError KATA_CONFIG for options that are none
   */
  async exec(options: ProcessDefaults): Promise<Process> {
    checkOptions(processShape, options, "exec");
    return await this.#traced(options);
  }

  /** Runs another process to its end. @throws the reason of a signal that is aborted already: nothing runs then */
  async run(options: ProcessDefaults & ResultOptions): Promise<ProcessResult> {
    checkOptions(processAndResultShape, options, "run");
    options.signal?.throwIfAborted();
    return (await this.#traced(options)).result(resultOptionsOf(options));
  }

  async #traced(options: ProcessDefaults): Promise<Process> {
    const { id, sandboxId } = this.#parts;
    const started = traced({ name: "container.exec", sandboxId, containerId: id }, () => this.#exec(options));
    return this.#parts.idle.during(started);
  }

  async #exec(options: ProcessDefaults): Promise<Process> {
    const execId = randomUuid();
    const process = processBeside(this.#parts.process, options);
    const names = { container_id: this.id, exec_id: execId };
    const { token } = await wrapAgentError(
      `exec in container ${this.id}`,
      execInGuest(this.#parts.agent, names, process),
    );
    const running = new Process(await openGuestProcess(this.#parts, { execId, token }));
    if (token !== undefined) this.#parts.idle.during(running.wait()).catch(() => undefined);
    return running;
  }

  /** Freezes all its processes. */
  async pause(): Promise<PausedContainer> {
    await wrapAgentError(`pause container ${this.id}`, this.#parts.agent.pauseContainer({ container_id: this.id }));
    return new PausedContainer(this, this.#parts);
  }

  /** Sends a signal to all its processes. @throws KataError KATA_CONFIG for what is no signal */
  async killAll(signal: NodeJS.Signals | number): Promise<void> {
    const request = { container_id: this.id, exec_id: "", signal: signalNumber(signal) };
    await wrapAgentError(`signal container ${this.id}`, this.#parts.agent.signalProcess(request));
  }

  /** The figures of its cgroup in the guest. */
  stats(): Promise<ContainerStats> {
    return wrapAgentError(
      `get stats of container ${this.id}`,
      this.#parts.agent.statsContainer({ container_id: this.id }),
    );
  }

  /** Changes its limits: the VM grows by them, and the guest enforces them. What is not named stays. */
  async update(resources: SpecResources): Promise<void> {
    const { limits } = this.#parts;
    await limits.set(this.id, resources);
    await wrapAgentError(
      `update container ${this.id}`,
      updateInGuest(this.#parts.agent, this.id, guestResources(resources)),
    );
    await limits.settle();
  }

  /** The guest's `ps` about its processes. @param args options for ps; `-ef` when empty */
  async processes(args: readonly string[] = []): Promise<string> {
    const request = { container_id: this.id, format: "table", args: [...args] };
    const what = `list processes of container ${this.id}`;
    const { process_list } = await wrapAgentError(what, this.#parts.agent.listProcesses(request));
    return escapeControls(Buffer.from(process_list).toString());
  }
}

/** A container whose processes stand still. */
export class PausedContainer {
  readonly id: ContainerId;
  readonly #running: RunningContainer;
  readonly #parts: ContainerParts;

  constructor(running: RunningContainer, parts: ContainerParts) {
    this.id = running.id;
    this.#running = running;
    this.#parts = parts;
  }

  /** Lets its processes go on. */
  async resume(): Promise<RunningContainer> {
    await wrapAgentError("set the guest's clock", setClock(this.#parts.agent));
    await wrapAgentError(`resume container ${this.id}`, this.#parts.agent.resumeContainer({ container_id: this.id }));
    return this.#running;
  }
}
