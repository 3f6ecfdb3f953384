// A shim without virtual machines that writes down what containerd sends it, for the golden test: containerd runs it by its path,
// and it appends to the file RECORD. Its containers run until they are killed.
import { appendFileSync } from "node:fs";
import { createServer } from "node:net";
import { serveTtrpc } from "@kata-ts/agent-protocol/ttrpc";
import { start } from "../src/actions/start.ts";
import { TtrpcForwarder } from "../src/events/forwarders.ts";
import { Publisher } from "../src/events/publisher.ts";
import { parseFlags } from "../src/flags.ts";
import { ShimLog } from "../src/log.ts";
import { answerCalls } from "../src/service.ts";
import { taskHandlers } from "../src/tasks/serve-tasks.ts";
import { taskService } from "../src/tasks/task-service.ts";
import { Tasks } from "../src/tasks/tasks.ts";
import { FakePod } from "./fake-pod.ts";

const flags = parseFlags(process.argv.slice(2));
const log = new ShimLog("log", flags.id, true);

if (flags.action === "start") process.stdout.write(await start(flags, log));
else if (flags.action === "serve") serveAndRecord(process.env.RECORD ?? "/tmp/containerd-calls.jsonl");

function serveAndRecord(file: string): void {
  const forwarder = new TtrpcForwarder(process.env.TTRPC_ADDRESS ?? "", flags.namespace);
  const publisher = new Publisher(forwarder, (message) => {
    log.warning(message);
  });
  const pod = new FakePod();
  const context = { pod, namespace: flags.namespace, publish: publisher.publish.bind(publisher) };
  const handlers = taskHandlers(new Tasks(context), context, () => {
    setTimeout(() => process.exit(0), 100);
  });
  const answer = answerCalls([taskService(handlers)], log.followCall.bind(log));
  createServer((connection) => {
    serveTtrpc(connection, async (path, request, signal) => {
      const reply = await answer(path, request, signal);
      const [call, answered] = [request, reply].map((bytes) => Buffer.from(bytes).toString("hex"));
      appendFileSync(file, `${JSON.stringify({ path, request: call, reply: answered })}\n`);
      return reply;
    });
  }).listen({ fd: 3 });
}
