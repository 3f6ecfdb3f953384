import { metricsOf } from "../metrics/metrics.ts";
import { VERSION } from "../version.ts";
import { execProcess, resourcesOf } from "./arguments.ts";
import { checkpointRequest } from "./checkpoint-request.ts";
import { exitFields } from "./exit-fields.ts";
import type { TaskHandlers } from "./handlers.ts";
import { statusOf } from "./status.ts";
import type { TaskContext } from "./task.ts";
import type { Tasks } from "./tasks.ts";

/** @param onShutdown called when containerd has deleted a container, and there is none any more */
export function taskHandlers(tasks: Tasks, { pod }: TaskContext, onShutdown: () => void): TaskHandlers {
  return {
    Create: async (request) => ({ pid: (await tasks.create(request)).init.pid }),
    Start: async ({ id, exec_id }) => {
      const task = tasks.get(id);
      return { pid: await (exec_id === "" ? task.start() : task.startExec(exec_id)) };
    },
    Delete: async ({ id, exec_id }) => {
      const { pid, exit } = exec_id === "" ? (await tasks.delete(id)).init : await tasks.get(id).deleteExec(exec_id);
      return { pid, ...exitFields(exit) };
    },
    State: ({ id, exec_id }) => {
      const task = tasks.get(id);
      const process = task.process(exec_id);
      const { pid, exit, request } = process;
      const status = statusOf(process, exec_id === "" && task.isPaused);
      return { id, bundle: task.bundle, pid, status, ...request, ...exitFields(exit), exec_id };
    },
    Pids: ({ id }) => ({ processes: [{ pid: tasks.get(id).init.pid }] }),
    Pause: async ({ id }) => nothing(tasks.get(id).pause()),
    Resume: async ({ id }) => nothing(tasks.get(id).resume()),
    Kill: async ({ id, exec_id, signal, all }) => nothing(tasks.get(id).kill(exec_id, signal, all)),
    Exec: ({ id, exec_id, stdin, stdout, stderr, terminal, spec }) => {
      tasks.get(id).addExec(exec_id, { stdin, stdout, stderr, terminal }, execProcess(spec));
      return {};
    },
    ResizePty: ({ id, exec_id, width, height }) => {
      tasks.get(id).process(exec_id).resize({ rows: height, columns: width });
      return {};
    },
    CloseIO: ({ id, exec_id, stdin }) => {
      if (stdin) tasks.get(id).process(exec_id).closeStdin();
      return {};
    },
    Update: async ({ id, resources }) => nothing(pod.update(tasks.get(id).id, resourcesOf(resources))),
    Wait: async ({ id, exec_id }) => exitFields(await tasks.get(id).process(exec_id).ended),
    Stats: async ({ id }) => ({ stats: metricsOf(await pod.stats(tasks.get(id).id)) }),
    // Of a container that there is not, too, as by containerd's own shims: it is how a shim is known to answer.
    Connect: ({ id }) => ({ shim_pid: process.pid, task_pid: tasks.find(id)?.init.pid ?? 0, version: VERSION }),
    Checkpoint: async (request) => nothing(tasks.get(request.id).checkpoint(checkpointRequest(request))),
    Shutdown: () => {
      if (tasks.isEmpty) onShutdown();
      return {};
    },
  };
}

async function nothing(work: Promise<void>): Promise<Record<string, never>> {
  await work;
  return {};
}
