import type { SpecResources } from "@kata-ts/agent-protocol";
import { escapeControls, randomUuid } from "@kata-ts/linux";
import { guestResources } from "../container/guest-resources.ts";
import { execInGuest, updateInGuest } from "../container/in-guest.ts";
import type { ContainerStats } from "../container/stats.ts";
import type { ContainerId } from "../identifiers.ts";
import { setClock } from "../sandbox/clock.ts";
import { wrapAgentError } from "../sandbox/wrap-agent-error.ts";
import { askGuest, type LimitedCall } from "./ask-guest.ts";
import { BegunProcess } from "./begun-process.ts";
import type { ContainerParts } from "./container-parts.ts";
import { type ProcessDefaults, processBeside } from "./default-spec.ts";
import type { ContainerFiles } from "./files/container-files.ts";
import { filesOfParts } from "./files/files-of-parts.ts";
import { disposedWhenLate, type LimitOptions } from "./limit.ts";
import { openGuestProcess } from "./open-guest-process.ts";
import { Process, signalNumber } from "./process.ts";
import type { ProcessResult } from "./process-result.ts";
import { checkOptions, processAndResultShape, processShape } from "./process-shape.ts";
import { type ResultOptions, resultOptionsOf } from "./result-options.ts";
import { traced } from "./tracing.ts";
import { lookedUp } from "./user.ts";

/**
 * A container whose first process was started: what can be done with one only then. Every call takes `signal` and `timeoutMs`;
 * where one of them ends a call, the guest may still do what it was asked for.
 */
export class RunningContainer {
  readonly id: ContainerId;
  /** Its first process; when it ends, all others do. */
  readonly process: Process;
  readonly files: ContainerFiles;
  readonly #parts: ContainerParts;

  constructor(parts: ContainerParts, process: Process) {
    this.id = parts.id;
    this.process = process;
    this.files = filesOfParts(parts);
    this.#parts = parts;
  }

  /**
   * Runs another process in it, as the first one's user, with its environment and in its directory, unless `options` say
   * otherwise. A limit that is reached, from its start on, kills it and all that it has started. Where the guest has not started it by then,
   * the call ends at once, and the process, should it come, is killed.
   *
   * @throws KataError KATA_CONFIG for options that are none, KATA_TIMEOUT; the reason of an aborted signal: nothing runs where it is aborted
   * already
   */
  async exec(options: ProcessDefaults & LimitOptions): Promise<Process> {
    checkOptions(processShape, options, "exec");
    return await this.#begin(options, options);
  }

  /** Runs another process to its end. @throws as exec */
  async run(options: ProcessDefaults & ResultOptions): Promise<ProcessResult> {
    checkOptions(processAndResultShape, options, "run");
    return (await this.#begin(options)).result(resultOptionsOf(options));
  }

  /** @param limits of the process's whole life */
  async #begin(options: ProcessDefaults & LimitOptions, limits?: LimitOptions): Promise<Process> {
    const { id, sandboxId, idle } = this.#parts;
    const operation = { name: "container.exec", sandboxId, containerId: id } as const;
    return await idle.during(async () => {
      const { guest, isStreamed } = await disposedWhenLate(`the start of a process in container ${id}`, options, () =>
        traced(operation, () => this.#exec(options)),
      );
      const running = new Process(guest, limits);
      const what = `process ${options.args[0]} of container ${id}`;
      // While the call is under way still: there is no moment in which neither is.
      if (isStreamed) idle.during(() => running.wait(), what).catch(() => undefined);
      return running;
    });
  }

  async #exec(options: ProcessDefaults): Promise<BegunProcess> {
    const execId = randomUuid();
    const process = processBeside(this.#parts.process, options);
    const names = { container_id: this.id, exec_id: execId };
    const { token } = await wrapAgentError(
      `exec in container ${this.id}`,
      execInGuest(this.#parts.agent, names, process, { ownCgroup: true, user: this.#lookedUp(options) }),
    );
    return new BegunProcess(await openGuestProcess(this.#parts, { execId, token }), token !== undefined);
  }

  /** Who is not named is the first process's user, who may have been named. */
  #lookedUp({ user }: ProcessDefaults): string | undefined {
    return user === undefined ? this.#parts.user : lookedUp(user);
  }

  /** Ends its processes and removes it. Once it is gone, again is fine. */
  async remove(): Promise<void> {
    await this.#parts.remove();
  }

  /** Freezes all its processes. */
  async pause(limits: LimitOptions = {}): Promise<PausedContainer> {
    await this.#ask("pause", limits, (names, call) => this.#parts.agent.pauseContainer(names, call));
    return new PausedContainer(this, this.#parts);
  }

  /** Sends a signal to all its processes. @throws KataError KATA_CONFIG for what is no signal */
  async killAll(signal: NodeJS.Signals | number, limits: LimitOptions = {}): Promise<void> {
    const wanted = { exec_id: "", signal: signalNumber(signal) };
    await this.#ask("signal", limits, (names, call) => this.#parts.agent.signalProcess({ ...names, ...wanted }, call));
  }

  /** The figures of its cgroup in the guest. */
  async stats(limits: LimitOptions = {}): Promise<ContainerStats> {
    return await this.#ask("get stats of", limits, (names, call) => this.#parts.agent.statsContainer(names, call));
  }

  /** Changes its limits: the VM grows by them, and the guest enforces them. What is not named stays. */
  async update(resources: SpecResources, limits: LimitOptions = {}): Promise<void> {
    await this.#ask("update", limits, async () => {
      await this.#parts.limits.set(this.id, resources);
      await updateInGuest(this.#parts.agent, this.id, guestResources(resources));
      await this.#parts.limits.settle();
    });
  }

  /** The guest's `ps` about its processes. @param args options for ps; `-ef` when empty */
  async processes(args: readonly string[] = [], limits: LimitOptions = {}): Promise<string> {
    const wanted = { format: "table", args: [...args] };
    const { process_list } = await this.#ask("list processes of", limits, (names, call) =>
      this.#parts.agent.listProcesses({ ...names, ...wanted }, call),
    );
    return escapeControls(Buffer.from(process_list).toString());
  }

  #ask<T>(
    verb: string,
    limits: LimitOptions,
    work: (names: { readonly container_id: string }, call: LimitedCall) => Promise<T>,
  ): Promise<T> {
    return this.#parts.idle.during(() =>
      askGuest(`${verb} container ${this.id}`, limits, (call) => work({ container_id: this.id }, call)),
    );
  }
}

/** A container whose processes stand still. */
export class PausedContainer {
  readonly id: ContainerId;
  /** Reached while the processes stand still, too. */
  readonly files: ContainerFiles;
  readonly #running: RunningContainer;
  readonly #parts: ContainerParts;

  constructor(running: RunningContainer, parts: ContainerParts) {
    this.id = running.id;
    this.files = running.files;
    this.#running = running;
    this.#parts = parts;
  }

  /** Lets its processes go on. */
  async resume(limits: LimitOptions = {}): Promise<RunningContainer> {
    const { agent, idle } = this.#parts;
    await idle.during(() =>
      askGuest(`resume container ${this.id}`, limits, async (call) => {
        await setClock(agent);
        await agent.resumeContainer({ container_id: this.id }, call);
      }),
    );
    return this.#running;
  }
}
