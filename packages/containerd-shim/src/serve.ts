import { rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { serveTtrpc } from "@kata-ts/agent-protocol/ttrpc";
import { socketPath } from "./address.ts";
import { type Forwarder, ProgramForwarder, TtrpcForwarder } from "./events/forwarders.ts";
import { Publisher } from "./events/publisher.ts";
import type { ShimFlags } from "./flags.ts";
import { IdleMemory } from "./idle.ts";
import type { ShimLog } from "./log.ts";
import { Sandbox } from "./sandbox/sandbox.ts";
import { sandboxService } from "./sandbox/serve-sandbox.ts";
import { answerCalls } from "./service.ts";
import type { Pod } from "./tasks/pod.ts";
import { taskHandlers } from "./tasks/serve-tasks.ts";
import { taskService } from "./tasks/task-service.ts";
import { Tasks } from "./tasks/tasks.ts";

/** The descriptor of the socket that `start` listens on. */
const SOCKET = 3;

/** Serves a pod until containerd lets the process end, or a signal does. */
export async function serve(flags: ShimFlags, pod: Pod, log: ShimLog): Promise<void> {
  await using publisher = new Publisher(forwarderOf(flags), (message) => {
    log.warning(message);
  });
  await using _pod = pod;
  process.on("uncaughtExceptionMonitor", (error) => {
    log.endedBy(error);
  });
  const memory = new IdleMemory();
  const over: PromiseWithResolvers<undefined> = Promise.withResolvers();
  const end = (): void => {
    over.resolve(undefined);
  };
  const context = {
    pod,
    namespace: flags.namespace,
    publish: publisher.publish.bind(publisher),
  };
  const tasks = new Tasks(context);
  const sandbox = new Sandbox(pod);
  const endWithoutContainer = (): void => {
    if (!sandbox.exists) end();
  };
  const services = [taskService(taskHandlers(tasks, context, endWithoutContainer)), sandboxService(sandbox, end)];
  const answer = answerCalls(services, (method, id) => {
    const ended = log.followCall(method, id);
    return (refusal) => {
      ended(refusal);
      if (method === "Start") memory.used();
    };
  });
  const server = createServer((connection) => {
    serveTtrpc(connection, answer);
  }).listen({ fd: SOCKET });
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, end);
  await over.promise;
  rmSync(socketPath(flags.address, flags.namespace, flags.id), { force: true });
  await closed(server);
}

/** The answer to the call that ended it is still to be sent; containerd then closes its connections. */
async function closed(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  server.close(() => {
    resolve(undefined);
  });
  const timer = setTimeout(() => {
    resolve(undefined);
  }, LAST_ANSWER_MS);
  await promise;
  clearTimeout(timer);
}

const LAST_ANSWER_MS = 500;

function forwarderOf({ namespace, address, publishBinary }: ShimFlags): Forwarder {
  const socket = process.env.TTRPC_ADDRESS ?? "";
  return socket === ""
    ? new ProgramForwarder(publishBinary, address, namespace)
    : new TtrpcForwarder(socket.replace("unix://", ""), namespace);
}
