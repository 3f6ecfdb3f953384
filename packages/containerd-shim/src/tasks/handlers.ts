import type { containerd, google } from "#gen/containerd";

type Messages = typeof containerd.task.v2;
type Request<N extends keyof Messages> = InstanceType<Messages[N]>;
type Reply<N extends keyof Messages> = Parameters<Messages[N]["encode"]>[0];
type Handler<From, To> = (request: From, signal: AbortSignal) => Promise<To> | To;
type Empty = google.protobuf.Empty.$Properties;

/** containerd's Task service, method by method. */
export interface TaskHandlers {
  readonly State: Handler<Request<"StateRequest">, Reply<"StateResponse">>;
  readonly Create: Handler<Request<"CreateTaskRequest">, Reply<"CreateTaskResponse">>;
  readonly Start: Handler<Request<"StartRequest">, Reply<"StartResponse">>;
  readonly Delete: Handler<Request<"DeleteRequest">, Reply<"DeleteResponse">>;
  readonly Pids: Handler<Request<"PidsRequest">, Reply<"PidsResponse">>;
  readonly Pause: Handler<Request<"PauseRequest">, Empty>;
  readonly Resume: Handler<Request<"ResumeRequest">, Empty>;
  readonly Checkpoint: Handler<Request<"CheckpointTaskRequest">, Empty>;
  readonly Kill: Handler<Request<"KillRequest">, Empty>;
  readonly Exec: Handler<Request<"ExecProcessRequest">, Empty>;
  readonly ResizePty: Handler<Request<"ResizePtyRequest">, Empty>;
  readonly CloseIO: Handler<Request<"CloseIORequest">, Empty>;
  readonly Update: Handler<Request<"UpdateTaskRequest">, Empty>;
  readonly Wait: Handler<Request<"WaitRequest">, Reply<"WaitResponse">>;
  readonly Stats: Handler<Request<"StatsRequest">, Reply<"StatsResponse">>;
  readonly Connect: Handler<Request<"ConnectRequest">, Reply<"ConnectResponse">>;
  readonly Shutdown: Handler<Request<"ShutdownRequest">, Empty>;
}
