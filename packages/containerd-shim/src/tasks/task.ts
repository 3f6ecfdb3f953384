import type { SpecProcess } from "@kata-ts/agent-protocol";
import { type TaskEvent, taskEvent } from "../events/task-events.ts";
import { openStdio } from "../stdio/open-stdio.ts";
import type { StdioRequest } from "../stdio/stdio.ts";
import { timestampOf } from "../timestamp.ts";
import type { CheckpointRequest } from "./checkpoint-request.ts";
import type { Exit, Pod } from "./pod.ts";
import { alreadyExists, notFound, tooLate, wrongState } from "./refusals.ts";
import { TaskProcess } from "./task-process.ts";

const SIGKILL = 9;
/** How long calls wait for a start that is under way: what every call has to a guest that works. */
const START_DEADLINE_MS = 60_000;

/** What a task works with. */
export interface TaskContext {
  readonly pod: Pod;
  readonly namespace: string;
  readonly publish: (event: TaskEvent) => void;
}

interface ExecProcess {
  readonly process: TaskProcess;
  readonly spec: SpecProcess;
}

/** A container as containerd knows it: its first process, and those of exec. */
export class Task {
  readonly id: string;
  readonly bundle: string;
  readonly init: TaskProcess;
  readonly #context: TaskContext;
  readonly #execs: Map<string, ExecProcess> = new Map();
  #isPaused = false;

  constructor(id: string, bundle: string, stdio: StdioRequest, context: TaskContext) {
    this.id = id;
    this.bundle = bundle;
    this.init = new TaskProcess(stdio);
    this.#context = context;
  }

  get isPaused(): boolean {
    return this.#isPaused && this.init.status === "running";
  }

  /** @param execId empty for the first one @throws RpcError NotFound */
  process(execId: string): TaskProcess {
    if (execId === "") return this.init;
    const exec = this.#execs.get(execId);
    if (exec === undefined) throw notFound(`process ${execId} of container ${this.id}`);
    return exec.process;
  }

  exited(execId: string, pid: number, { status, at }: Exit): void {
    const id = execId === "" ? this.id : execId;
    // With its first process all of a container have ended.
    if (execId === "") for (const { process } of this.#execs.values()) process.signalled(SIGKILL);
    const event = { container_id: this.id, id, pid, exit_status: status, exited_at: timestampOf(at) };
    this.#context.publish(taskEvent.exit(event));
  }

  /** Lets its first process run. @returns its pid */
  async start(): Promise<number> {
    const { pod, publish } = this.#context;
    await this.init.start(async () => {
      await pod.start(this.id);
      publish(taskEvent.start({ container_id: this.id, pid: this.init.pid }));
    });
    return this.init.pid;
  }

  /** A process that `startExec` will run. */
  addExec(execId: string, stdio: StdioRequest, spec: SpecProcess): void {
    if (this.#execs.has(execId)) throw alreadyExists(`process ${execId} of container ${this.id}`);
    if (this.init.status !== "running") {
      throw wrongState(`cannot exec in container ${this.id}, whose first process is ${this.init.status}`);
    }
    this.#execs.set(execId, { process: new TaskProcess(stdio), spec: { ...spec, terminal: stdio.terminal } });
    this.#context.publish(taskEvent.execAdded({ container_id: this.id, exec_id: execId }));
  }

  /** @returns its pid */
  async startExec(execId: string): Promise<number> {
    const { pod, namespace, publish } = this.#context;
    const process = this.process(execId);
    const spec = this.#execs.get(execId)?.spec ?? { cwd: "/" };
    await process.start(async () => {
      const stdio = await openStdio(process.request, { id: execId, namespace });
      try {
        const guest = await pod.exec(this.id, execId, spec);
        process.attach(guest, stdio, (exit) => {
          this.exited(execId, guest.pid, exit);
        });
      } catch (error) {
        await stdio.close();
        throw error;
      }
      publish(taskEvent.execStarted({ container_id: this.id, exec_id: execId, pid: process.pid }));
    });
    return process.pid;
  }

  /** @throws RpcError while it runs; NotFound, too, where another deletion came first */
  async deleteExec(execId: string): Promise<TaskProcess> {
    const process = await this.#settled(execId);
    if (process.status === "running") throw wrongState(`process ${execId} of container ${this.id} still runs`);
    if (!this.#execs.delete(execId)) throw notFound(`process ${execId} of container ${this.id}`);
    if (process.pid !== 0) this.#context.pod.deleteExec(this.id, execId);
    await process.close();
    return process;
  }

  /**
   * Waits for a start that is under way: without its id, what it leaves would run on where no call reaches it.
   *
   * @throws RpcError DeadlineExceeded where its guest hangs
   */
  async #settled(execId: string): Promise<TaskProcess> {
    const process = this.process(execId);
    if (await process.settledWithin(START_DEADLINE_MS)) return process;
    const time = `${String(START_DEADLINE_MS / 1000)} s`;
    throw tooLate(`process ${execId} of container ${this.id} is still being started after ${time}: its guest hangs`);
  }

  /** @throws RpcError NotFound, in the words that clients look for, when it has ended */
  async kill(execId: string, signal: number, all: boolean): Promise<void> {
    const process = execId === "" ? this.init : await this.#settled(execId);
    if (process.status === "stopped" || (process.pid === 0 && execId !== "")) {
      throw notFound("process already finished");
    }
    const options = execId === "" ? { all } : { execId };
    await this.#context.pod.signal(this.id, signal, options);
    process.signalled(signal);
  }

  async pause(): Promise<void> {
    await this.#context.pod.pause(this.id);
    this.#isPaused = true;
    this.#context.publish(taskEvent.paused({ container_id: this.id }));
  }

  async resume(): Promise<void> {
    await this.#context.pod.resume(this.id);
    this.#isPaused = false;
    this.#context.publish(taskEvent.resumed({ container_id: this.id }));
  }

  /** Saves it: its VM's memory, devices and disks. */
  async checkpoint(request: CheckpointRequest): Promise<void> {
    await this.#context.pod.checkpoint(this.id, request);
    this.#context.publish(taskEvent.checkpointed({ container_id: this.id, checkpoint: request.directory }));
  }

  /** Lets go of all streams. */
  async close(): Promise<void> {
    const processes = [this.init, ...[...this.#execs.values()].map(({ process }) => process)];
    await Promise.all(processes.map((process) => process.close()));
  }
}
