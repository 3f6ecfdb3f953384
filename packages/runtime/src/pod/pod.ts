import {
  type AllPorts,
  type ContainerId,
  deleteContainer,
  KataError,
  LeftStanding,
  noteExit,
  parseContainerId,
  requirePrivileges,
  saveContainer,
  syncNetwork,
} from "@kata-ts/virtcontainers";
import { savedProcess } from "../bundle/saved-process.ts";
import { type BundleContainer, createFromBundle, restoreFromBundle } from "../create-from-bundle.ts";
import { checkPod, wrongPod } from "./check-pod.ts";
import { type OwnPorts, ownPorts } from "./own-ports.ts";
import type { PodCheckpointOptions, PodContainer, PodRequest, PodRestoreRequest } from "./pod-container.ts";
import { PodContainers } from "./pod-containers.ts";
import type { PodEvents } from "./pod-events.ts";
import { contextOf, type PodOptions } from "./pod-options.ts";
import { type EndOfVm, PodProcess } from "./pod-process.ts";
import { PodVm } from "./pod-vm.ts";
import { emptySandbox, type SandboxRequest } from "./sandbox-request.ts";

/** The status of a process that was killed because it was saved, as runc's. */
const KILLED = 128 + 9;

/**
 * Containers that share a VM which belongs to this process: no process but QEMU and virtiofsd is started for them on
 * the host, and they end with this process. Records are those of kata-runtime, whose other commands work for them, too.
 */
export class Pod extends PodContainers implements AsyncDisposable {
  readonly #options: PodOptions;
  #running: PodVm | undefined;
  /** Of a VM that was booted without a container: the id of its record. */
  #sandbox: ContainerId | undefined;
  #isOver = false;
  /** Creates are done one after the other. */
  #lastCreate: Promise<unknown> = Promise.resolve();

  constructor(options: PodOptions) {
    super();
    this.#options = options;
  }

  /** The id of its first container; undefined until that was made. */
  get id(): string | undefined {
    return this.#running?.id;
  }

  /**
   * Makes the pod's VM before any container. `close` removes it.
   *
   * @returns the pid of the VM's process, which lives in the pod's network namespace
   * @throws KataError KATA_STATE where the pod has, or had, a VM; nothing is left
   */
  boot(request: SandboxRequest): Promise<number> {
    return this.#inTurn(() => this.#boot(request));
  }

  async #boot(request: SandboxRequest): Promise<number> {
    requirePrivileges();
    if (this.#isOver || this.#running !== undefined) throw wrongPod(`pod ${request.id} has a VM already`);
    const own = ownPorts(this.#options.makers);
    const sandbox = emptySandbox(request);
    const created = await createFromBundle(sandbox, contextOf(this.#options, own.makers));
    this.#sandbox = sandbox.id;
    this.#running = this.#begin(sandbox.id, created, own);
    return created.record.vm?.vmm.pid ?? 0;
  }

  /** Ends the VM, with all that runs in it. Its containers are to be deleted, as after any end of their VM. Idempotent. */
  async stop(): Promise<void> {
    await this.#lastCreate;
    await this.#running?.stop();
  }

  /**
   * Makes a container whose first process waits for `start`: the first one with the VM, later ones in it.
   *
   * @throws KataError KATA_STATE for a container of another pod, or once the VM has ended; nothing is left
   */
  create(request: PodRequest): Promise<PodProcess> {
    return this.#inTurn(() => this.#create(request));
  }

  /**
   * Goes on with a container that was saved, as the pod's first one. Its processes stand still until `start`.
   *
   * @throws KataError KATA_SNAPSHOT, KATA_UNSUPPORTED, KATA_STATE where the pod has, or had, a VM; nothing is left
   */
  restore(request: PodRestoreRequest): Promise<PodProcess> {
    return this.#inTurn(() => this.#restore(request));
  }

  /**
   * Saves the pod's only container with the VM to a directory. None comes meanwhile.
   *
   * @throws KataError KATA_SNAPSHOT, KATA_UNSUPPORTED, KATA_STATE: the container goes on
   */
  checkpoint(id: string, directory: string, options: PodCheckpointOptions = {}): Promise<void> {
    return this.#inTurn(() => this.#checkpoint(this.container(id), directory, options));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#lastCreate.then(work);
    this.#lastCreate = done.catch(() => undefined);
    return done;
  }

  async #create({ id: name, bundle, signal }: PodRequest): Promise<PodProcess> {
    const id = parseContainerId(name);
    requirePrivileges();
    const running = this.#running;
    if (this.#isOver) throw wrongPod(`the VM of this pod has ended, and container ${id} cannot join it`);
    checkPod(bundle, id, running?.id);
    const own = running?.own ?? ownPorts(this.#options.makers);
    const created = await createFromBundle(
      {
        ...{ id, bundle, oneOutput: false },
        sandboxId: running?.id,
        signal,
      },
      contextOf(this.#options, own.makers),
    );
    return this.#add(id, created, own, false);
  }

  async #restore({ id: name, bundle, directory, signal }: PodRestoreRequest): Promise<PodProcess> {
    const id = parseContainerId(name);
    requirePrivileges();
    if (this.#isOver || this.#running !== undefined)
      throw wrongPod(`container ${id} cannot be restored into the VM of a pod: it has one of its own`);
    const own = ownPorts(this.#options.makers);
    const request = { id, bundle, directory, held: true, oneOutput: false, signal };
    const restored = await restoreFromBundle(request, contextOf(this.#options, own.makers));
    return this.#add(id, restored, own, true);
  }

  async #checkpoint(
    { id, endOfVm }: PodContainer,
    directory: string,
    { leaveRunning = true, signal }: PodCheckpointOptions,
  ): Promise<void> {
    const ports = this.ports;
    const { bundle } = await ports.store.read(id);
    try {
      await saveContainer(id, directory, { leaveRunning, process: savedProcess(id, bundle), signal }, ports);
    } catch (error) {
      if (error instanceof LeftStanding) void this.#running?.goOnLater();
      throw error;
    }
    if (leaveRunning) return;
    endOfVm.status = KILLED;
    await this.#running?.kill();
  }

  #add(id: ContainerId, created: BundleContainer, own: OwnPorts, isRestored: boolean): PodProcess {
    this.#running ??= this.#begin(id, created, own);
    const { incarnation } = created.record;
    const endOfVm: EndOfVm = {};
    const process = new PodProcess({ containerId: id, endOfVm }, created.shim, async (exit, isLost) => {
      await noteExit(id, incarnation, created.environment);
      await this.announce({ containerId: id, ...exit }, isLost);
    });
    this.all.set(id, { id, process, endOfVm, execs: new Map(), starting: new Set(), isRestored });
    return process;
  }

  #begin(id: ContainerId, created: BundleContainer, own: OwnPorts): PodVm {
    return new PodVm(id, created, own, {
      onOom: (containerId) => {
        if (this.all.has(containerId)) this.events.emit("oom", { containerId });
      },
      onEnd: (exit) => {
        this.#isOver = true;
        this.events.emit("end", exit);
      },
    });
  }

  /** Brings the guest up to date with its network namespace; a change there does so, too. */
  async syncNetwork(): Promise<void> {
    if (this.#running !== undefined) await syncNetwork(this.#running.id, this.#running.ports);
  }

  /** Ends and removes all of it. Idempotent. A container that cannot be removed keeps the others from nothing. */
  async close(): Promise<void> {
    await this.#lastCreate;
    const failures: unknown[] = [];
    for (const id of this.containers.toReversed()) {
      await this.delete(id, { force: true }).catch((error: unknown) => failures.push(error));
    }
    if (this.#sandbox !== undefined) {
      await deleteContainer(this.#sandbox, { force: true }, this.ports).catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Where the VM was lost, the host may have ended it for its memory: that comes before the end of its processes. */
  protected override async announce(exit: PodEvents["exit"][0], isLost: boolean): Promise<void> {
    const ranOut = isLost && (await this.#running?.ranOutOfMemory()) === true;
    if (ranOut) this.events.emit("oom", { containerId: exit.containerId });
    this.events.emit("exit", exit);
  }

  protected override get ports(): AllPorts {
    if (this.#running === undefined) throw new KataError("KATA_STATE", "this pod has no container yet");
    return this.#running.ports;
  }
}
