import { containerd } from "#gen/containerd";
import type { TaskEvent } from "../src/events/task-events.ts";
import { Sandbox } from "../src/sandbox/sandbox.ts";
import { sandboxService } from "../src/sandbox/serve-sandbox.ts";
import { answerCalls } from "../src/service.ts";
import { taskHandlers } from "../src/tasks/serve-tasks.ts";
import { taskService } from "../src/tasks/task-service.ts";
import { Tasks } from "../src/tasks/tasks.ts";
import { FakePod } from "./fake-pod.ts";

const messages = containerd.task.v2;
type Messages = typeof messages;
type Message = keyof Messages;

/** A shim's service over a pod without a VM, called as containerd does: by paths and bytes. */
export class FakeClient {
  readonly pod: FakePod = new FakePod();
  readonly events: string[] = [];
  hasEnded = false;
  readonly #answer: ReturnType<typeof answerCalls>;

  constructor() {
    const context = {
      pod: this.pod,
      namespace: "test",
      publish: ({ topic }: TaskEvent) => {
        this.events.push(topic.replace("/tasks/", ""));
      },
    };
    const sandbox = new Sandbox(this.pod);
    const end = (): void => {
      this.hasEnded = true;
    };
    const tasks = taskHandlers(new Tasks(context), context, () => {
      if (!sandbox.exists) end();
    });
    this.#answer = answerCalls([taskService(tasks), sandboxService(sandbox, end)], () => () => undefined);
  }

  /** @returns the response, as plain fields */
  async call<N extends Message>(
    method: string,
    name: N,
    request: Parameters<Messages[N]["encode"]>[0],
    response?: Message,
    version = "v2",
  ): Promise<Record<string, unknown>> {
    const codec: { encode(fields: unknown): { finish(): Uint8Array } } = messages[name];
    const path = `/containerd.task.${version}.Task/${method}`;
    const reply = await this.raw(path, codec.encode(request).finish());
    return response === undefined ? {} : Object.fromEntries(Object.entries(messages[response].decode(reply)));
  }

  raw(path: string, request: Uint8Array): Promise<Uint8Array> {
    return this.#answer(path, request, new AbortController().signal);
  }

  create(id: string): Promise<Record<string, unknown>> {
    return this.call("Create", "CreateTaskRequest", { id, bundle: "/nonexistent" }, "CreateTaskResponse");
  }

  start(id: string, exec_id = ""): Promise<Record<string, unknown>> {
    return this.call("Start", "StartRequest", { id, exec_id }, "StartResponse");
  }

  exec(id: string, exec_id: string, ...args: string[]): Promise<Record<string, unknown>> {
    const type_url = "types.containerd.io/opencontainers/runtime-spec/1/Process";
    const spec = { type_url, value: Buffer.from(JSON.stringify({ args, cwd: "/" })) };
    return this.call("Exec", "ExecProcessRequest", { id, exec_id, spec });
  }

  kill(id: string, signal: number, exec_id = ""): Promise<Record<string, unknown>> {
    return this.call("Kill", "KillRequest", { id, exec_id, signal });
  }

  wait(id: string, exec_id = ""): Promise<Record<string, unknown>> {
    return this.call("Wait", "WaitRequest", { id, exec_id }, "WaitResponse");
  }

  delete(id: string, exec_id = ""): Promise<Record<string, unknown>> {
    return this.call("Delete", "DeleteRequest", { id, exec_id }, "DeleteResponse");
  }

  async status(id: string, exec_id = ""): Promise<string | undefined> {
    const { status } = await this.call("State", "StateRequest", { id, exec_id }, "StateResponse");
    return containerd.v1.types.Status[status as containerd.v1.types.Status];
  }
}
