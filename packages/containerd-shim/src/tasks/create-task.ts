import type { containerd } from "#gen/containerd";
import { taskEvent } from "../events/task-events.ts";
import { mountRootfs, unmountRootfs } from "../rootfs/mount-rootfs.ts";
import { runtimeOptions } from "../runtime-options.ts";
import { openStdio } from "../stdio/open-stdio.ts";
import { exitFields } from "./exit-fields.ts";
import { Task, type TaskContext } from "./task.ts";

type CreateTaskRequest = containerd.task.v2.CreateTaskRequest;

/**
 * Makes a container: its root file system is mounted, its streams are opened, its first process exists, and stands still where it was
 * saved. All or nothing.
 */
export async function createTask(request: CreateTaskRequest, context: TaskContext): Promise<Task> {
  const { id, bundle, rootfs, terminal, stdin, stdout, stderr, checkpoint } = request;
  const { pod, namespace, publish } = context;
  const task = new Task(id, bundle, { stdin, stdout, stderr, terminal }, context);
  await using undo = new AsyncDisposableStack();
  await mountRootfs(rootfs, bundle);
  undo.defer(() => unmountRootfs(bundle));
  const stdio = await openStdio(task.init.request, { id, namespace });
  undo.defer(() => stdio.close());
  const process = await pod.create({
    ...{ id, bundle, checkpoint: checkpoint === "" ? undefined : checkpoint },
    ...runtimeOptions(request.options),
  });
  undo.move();
  publish(
    taskEvent.create({
      container_id: id,
      bundle,
      rootfs,
      io: { stdin, stdout, stderr, terminal },
      checkpoint,
      pid: process.pid,
    }),
  );
  task.init.attach(process, stdio, (exit) => {
    task.exited("", process.pid, exit);
  });
  return task;
}

/** Ends what is left of a container, and unmounts its root file system. */
export async function deleteTask(task: Task, { pod, publish }: TaskContext): Promise<void> {
  const { init } = task;
  await pod.delete(task.id);
  const exit = await init.ended;
  await task.close();
  await unmountRootfs(task.bundle);
  publish(taskEvent.delete({ container_id: task.id, pid: init.pid, ...exitFields(exit) }));
}
