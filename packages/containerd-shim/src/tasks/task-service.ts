import { containerd, google } from "#gen/containerd";
import type { Codecs, Service } from "../service.ts";
import type { TaskHandlers } from "./handlers.ts";

const messages = containerd.task.v2;
const { Empty } = google.protobuf;

/** The messages of each method. */
const METHODS: Readonly<Record<keyof TaskHandlers, Codecs[string]>> = {
  State: { request: messages.StateRequest, response: messages.StateResponse },
  Create: { request: messages.CreateTaskRequest, response: messages.CreateTaskResponse },
  Start: { request: messages.StartRequest, response: messages.StartResponse },
  Delete: { request: messages.DeleteRequest, response: messages.DeleteResponse },
  Pids: { request: messages.PidsRequest, response: messages.PidsResponse },
  Pause: { request: messages.PauseRequest, response: Empty },
  Resume: { request: messages.ResumeRequest, response: Empty },
  Checkpoint: { request: messages.CheckpointTaskRequest, response: Empty },
  Kill: { request: messages.KillRequest, response: Empty },
  Exec: { request: messages.ExecProcessRequest, response: Empty },
  ResizePty: { request: messages.ResizePtyRequest, response: Empty },
  CloseIO: { request: messages.CloseIORequest, response: Empty },
  Update: { request: messages.UpdateTaskRequest, response: Empty },
  Wait: { request: messages.WaitRequest, response: messages.WaitResponse },
  Stats: { request: messages.StatsRequest, response: messages.StatsResponse },
  Connect: { request: messages.ConnectRequest, response: messages.ConnectResponse },
  Shutdown: { request: messages.ShutdownRequest, response: Empty },
};

/** Both versions of the service that containerd speaks: 1.x the first, 2.x the second, where a shim offers it. */
const PATH = /^\/containerd\.task\.v[23]\.Task\/(\w+)$/;

export function taskService(handlers: TaskHandlers): Service {
  return {
    path: PATH,
    codecs: METHODS,
    handlers: { ...handlers },
    // Every request says which container it is about.
    idOf: (request) => (request as { readonly id: string }).id,
  };
}
