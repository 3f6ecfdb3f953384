// A program that owns a sandbox: it makes one of the options in its argument, then does what each line of its input says,
// `{ "do": "run", … }`, and answers with a line.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { type ContainerOptions, type EgressDecision, Sandbox, type SandboxOptions } from "@kata-ts/virtcontainers";

interface Order {
  readonly do: string;
  readonly container: ContainerOptions;
  readonly port?: number;
  readonly timeoutMs?: number;
}

const warnings: string[] = [];
process.on("warning", ({ message }) => warnings.push(message));
const sandbox = await Sandbox.create(JSON.parse(process.argv[2] ?? "") as SandboxOptions);
const decisions: EgressDecision[] = [];
sandbox.events.on("egress", (decision) => decisions.push(decision));

async function ask(socket: Socket): Promise<string> {
  socket.write("GET / HTTP/1.0\r\n\r\n");
  return text(socket);
}

async function carryOut({ do: what, container, port = 0, timeoutMs = 60_000 }: Order): Promise<unknown> {
  switch (what) {
    case "run":
      return sandbox.run(container);
    case "start":
      await (await sandbox.createContainer(container)).start();
      return "started";
    case "wait for port":
      return sandbox.waitFor({ port, timeoutMs });
    case "wait for http":
      return sandbox.waitFor({ http: { port, path: "/passwd" }, timeoutMs });
    case "connect":
      return ask(await sandbox.connect(port));
    case "ask the host": {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      return ask(socket);
    }
    case "ports":
      return sandbox.ports;
    case "decisions":
      return decisions;
    case "warnings":
      return warnings;
    default:
      return sandbox[Symbol.asyncDispose]();
  }
}

const print = (line: unknown): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);
print("created");
for await (const line of createInterface({ input: process.stdin })) {
  try {
    print({ value: (await carryOut(JSON.parse(line) as Order)) ?? null });
  } catch (error) {
    print({ error: (error as Error).message });
  }
}
