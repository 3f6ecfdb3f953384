import { EventEmitter } from "node:events";
import type { SpecProcess, SpecResources } from "@kata-ts/agent-protocol";
import {
  type AllPorts,
  type ContainerStats,
  type ContainerStatus,
  containerStats,
  deleteContainer,
  execInContainer,
  KataError,
  killContainer,
  listProcesses,
  pauseContainer,
  resumeContainer,
  startContainer,
  statusOf,
  updateContainer,
} from "@kata-ts/virtcontainers";
import { withInheritedLimits } from "../bundle/inherited-limits.ts";
import type { PodContainer } from "./pod-container.ts";
import type { PodEvents } from "./pod-events.ts";
import { type Exit, PodProcess } from "./pod-process.ts";

/** What of a pod is about the containers that it has, each by its id. */
export abstract class PodContainers {
  readonly events: EventEmitter<PodEvents> = new EventEmitter();
  protected readonly all: Map<string, PodContainer> = new Map();
  /** What operations on them work through. */
  protected abstract readonly ports: AllPorts;
  /** A process has ended. */
  protected abstract announce(exit: PodEvents["exit"][0], isLost: boolean): Promise<void>;

  /** The ids of its containers. */
  get containers(): readonly string[] {
    return [...this.all.keys()];
  }

  /** Lets a container's first process run. */
  async start(id: string): Promise<void> {
    const { id: container, isRestored } = this.container(id);
    await (isRestored ? resumeContainer : startContainer)(container, this.ports);
  }

  /**
   * Runs another process in a container.
   *
   * @param execId names it until `deleteExec`
   * @param process as in process.json, checked: see parseProcess
   */
  async exec(id: string, execId: string, process: SpecProcess): Promise<PodProcess> {
    const container = this.container(id);
    if (container.execs.has(execId) || container.starting.has(execId))
      throw new KataError("KATA_ID_IN_USE", `process ${execId} of container ${id} exists`);
    container.starting.add(execId);
    try {
      return await this.#exec(container, execId, process);
    } finally {
      container.starting.delete(execId);
    }
  }

  async #exec(container: PodContainer, execId: string, process: SpecProcess): Promise<PodProcess> {
    const { id, endOfVm } = container;
    const shim = await execInContainer(id, withInheritedLimits(process), {}, this.ports);
    const running = new PodProcess({ containerId: id, execId, endOfVm }, shim, (exit, isLost) =>
      this.announce({ containerId: id, execId, ...exit }, isLost),
    );
    container.execs.set(execId, running);
    return running;
  }

  /**
   * Sends a signal, by number, to a container's first process, to one of exec, or to all processes of the container.
   *
   * @throws KataError KATA_STATE where it has ended
   */
  async signal(
    id: string,
    signal: number,
    { execId, all = false }: { readonly execId?: string | undefined; readonly all?: boolean } = {},
  ): Promise<void> {
    if (execId === undefined) return killContainer(this.container(id).id, signal, all, this.ports);
    const process = this.process(id, execId);
    if (process.exit !== undefined) throw new KataError("KATA_STATE", `process ${execId} of ${id} is not running`);
    await process.kill(signal);
  }

  /** A process, also after its end, until it is deleted. @throws KataError KATA_NOT_FOUND */
  process(id: string, execId?: string): PodProcess {
    const container = this.container(id);
    const found = execId === undefined ? container.process : container.execs.get(execId);
    if (found === undefined) throw notFound(`process ${execId ?? ""} of container ${id} does not exist`);
    return found;
  }

  /** Resolves with how a process ends, or has ended. */
  wait(id: string, execId?: string): Promise<Exit> {
    return this.process(id, execId).exited;
  }

  /** Freezes all processes of a container; the VM goes on. */
  async pause(id: string): Promise<void> {
    await pauseContainer(this.container(id).id, this.ports);
  }

  async resume(id: string): Promise<void> {
    await resumeContainer(this.container(id).id, this.ports);
  }

  /** Changes a container's limits; the VM grows where they ask for more. What is not named stays. */
  async update(id: string, resources: SpecResources): Promise<void> {
    await updateContainer(this.container(id).id, resources, this.ports);
  }

  /** The figures of a container's cgroup in the guest. */
  stats(id: string): Promise<ContainerStats> {
    return containerStats(this.container(id).id, this.ports);
  }

  /** The guest's `ps` about a container's processes. */
  processes(id: string, args: readonly string[] = []): Promise<string> {
    return listProcesses(this.container(id).id, args, this.ports);
  }

  async status(id: string): Promise<ContainerStatus> {
    return statusOf(await this.ports.store.read(this.container(id).id));
  }

  /** Removes a container, and with the last one the VM. @param force also where it runs */
  async delete(id: string, { force = false }: { readonly force?: boolean } = {}): Promise<void> {
    const container = this.container(id);
    await deleteContainer(container.id, { force }, this.ports);
    for (const process of [container.process, ...container.execs.values()]) process.close();
    this.all.delete(id);
  }

  /** Forgets a process of exec; one that still runs is killed. */
  deleteExec(id: string, execId: string): void {
    this.process(id, execId).close();
    this.container(id).execs.delete(execId);
  }

  protected container(id: string): PodContainer {
    const found = this.all.get(id);
    if (found === undefined) throw notFound(`container does not exist: ${id}`);
    return found;
  }
}

function notFound(message: string): KataError {
  return new KataError("KATA_NOT_FOUND", message);
}
