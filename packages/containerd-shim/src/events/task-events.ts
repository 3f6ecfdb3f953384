import { containerd } from "#gen/containerd";

const events: typeof containerd.events = containerd.events;

/** An event as it is published: its topic, and its message with the name of its type. */
export interface TaskEvent {
  readonly topic: string;
  readonly type: string;
  readonly message: Uint8Array;
}

type Fields<T extends { encode: (message: never) => unknown }> = Parameters<T["encode"]>[0];

/** The events of a task, in containerd's words. */
export const taskEvent = {
  create: (fields: Fields<typeof events.TaskCreate>): TaskEvent =>
    event("create", "TaskCreate", events.TaskCreate.encode(fields)),
  start: (fields: Fields<typeof events.TaskStart>): TaskEvent =>
    event("start", "TaskStart", events.TaskStart.encode(fields)),
  execAdded: (fields: Fields<typeof events.TaskExecAdded>): TaskEvent =>
    event("exec-added", "TaskExecAdded", events.TaskExecAdded.encode(fields)),
  execStarted: (fields: Fields<typeof events.TaskExecStarted>): TaskEvent =>
    event("exec-started", "TaskExecStarted", events.TaskExecStarted.encode(fields)),
  exit: (fields: Fields<typeof events.TaskExit>): TaskEvent =>
    event("exit", "TaskExit", events.TaskExit.encode(fields)),
  delete: (fields: Fields<typeof events.TaskDelete>): TaskEvent =>
    event("delete", "TaskDelete", events.TaskDelete.encode(fields)),
  oom: (fields: Fields<typeof events.TaskOOM>): TaskEvent => event("oom", "TaskOOM", events.TaskOOM.encode(fields)),
  paused: (fields: Fields<typeof events.TaskPaused>): TaskEvent =>
    event("paused", "TaskPaused", events.TaskPaused.encode(fields)),
  resumed: (fields: Fields<typeof events.TaskResumed>): TaskEvent =>
    event("resumed", "TaskResumed", events.TaskResumed.encode(fields)),
  checkpointed: (fields: Fields<typeof events.TaskCheckpointed>): TaskEvent =>
    event("checkpointed", "TaskCheckpointed", events.TaskCheckpointed.encode(fields)),
} as const;

function event(topic: string, type: string, message: { finish(): Uint8Array }): TaskEvent {
  return { topic: `/tasks/${topic}`, type: `containerd.events.${type}`, message: message.finish() };
}
