import type { containerd } from "#gen/containerd";
import { taskEvent } from "../events/task-events.ts";
import { createTask, deleteTask } from "./create-task.ts";
import { alreadyExists, notFound, wrongState } from "./refusals.ts";
import type { Task, TaskContext } from "./task.ts";

/** The containers of a pod, by their ids. One that is being made has its id already, and none of the rest. */
export class Tasks {
  readonly #context: TaskContext;
  readonly #tasks: Map<string, Task | undefined> = new Map();

  constructor(context: TaskContext) {
    this.#context = context;
    context.pod.onOutOfMemory((id) => {
      if (this.#tasks.get(id) !== undefined) context.publish(taskEvent.oom({ container_id: id }));
    });
  }

  get isEmpty(): boolean {
    return this.#tasks.size === 0;
  }

  find(id: string): Task | undefined {
    return this.#tasks.get(id);
  }

  /** @throws RpcError NotFound */
  get(id: string): Task {
    const task = this.#tasks.get(id);
    if (task === undefined) throw notFound(`container ${id}`);
    return task;
  }

  /** @throws RpcError AlreadyExists */
  async create(request: containerd.task.v2.CreateTaskRequest): Promise<Task> {
    const { id } = request;
    if (this.#tasks.has(id)) throw alreadyExists(`container ${id}`);
    this.#tasks.set(id, undefined);
    try {
      const task = await createTask(request, this.#context);
      this.#tasks.set(id, task);
      return task;
    } catch (error) {
      this.#tasks.delete(id);
      throw error;
    }
  }

  /** @throws RpcError FailedPrecondition while its first process runs */
  async delete(id: string): Promise<Task> {
    const task = this.get(id);
    if (task.init.status === "running") throw wrongState(`cannot delete container ${id}: its first process runs`);
    await deleteTask(task, this.#context);
    this.#tasks.delete(id);
    return task;
  }
}
