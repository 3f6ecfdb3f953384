import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentRpcError, katats, RpcStatus } from "@kata-ts/agent-protocol";
import { PREFACE_BYTES, serveProcessStream } from "@kata-ts/agent-protocol/process-stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Agent } from "../ports/agent.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { type FakePorts, fakePorts } from "../testing/fake-ports.ts";
import { Sandbox } from "./sandbox.ts";

type Served = Parameters<typeof serveProcessStream>[1];

/** It writes nothing, and never ends. */
function endless(): Served {
  const nothing = (): void => undefined;
  return {
    read: (_descriptor, _limit, signal) =>
      new Promise((resolve) => {
        signal.addEventListener("abort", () => {
          resolve(Buffer.alloc(0));
        });
      }),
    write: () => Promise.resolve(true),
    ...{ closeOutput: nothing, closeInput: nothing, signal: nothing, killSession: nothing },
    ...{ resize: nothing, hangUp: nothing, forget: nothing },
    exited: new Promise(nothing),
  };
}

let directory = "";
let server: Server | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "open-late-"));
});

afterEach(() => {
  server?.close();
  rmSync(directory, { recursive: true });
});

const ticket = new katats.v1.ProcessTicket({ token: Buffer.alloc(16, 7) });

/** The guest's end of streams. @param serve is given a connection, and what it asks for was read */
async function serveStreams(serve: (connection: Socket) => Promise<void>): Promise<void> {
  server = createServer((connection) => {
    void (async () => {
      while (connection.readableLength < PREFACE_BYTES) await once(connection, "readable");
      connection.read(PREFACE_BYTES);
      await serve(connection);
    })();
  });
  await once(server.listen(join(directory, "agent.sock")), "listening");
}

/** A sandbox that is detached, with containers whose first processes have streams. */
async function detached(ports: FakePorts, containers: readonly string[]): Promise<void> {
  const sandbox = await Sandbox.create({ id: "late", detachable: true }, ports);
  for (const id of containers) {
    await (await sandbox.createContainer({ rootfs: directory, id, args: ["sleep", "1000"] })).start();
  }
  await sandbox.detach();
  const [vm] = await ports.hypervisor.found();
  if (vm?.detached === undefined) throw new Error("it is detached");
  ports.hypervisor.note(vm.state.dir, {
    state: { ...vm.state, agentUrl: `unix://${join(directory, "agent.sock")}` },
    detached: vm.detached.replaceAll('"isStreamed":false', '"isStreamed":true'),
  });
}

function portsWith(openStream: Agent["openStream"]): FakePorts {
  const agent = new FakeAgent();
  return fakePorts(() => ({ ...agent.connect(), openStream }));
}

it("a process whose stream comes after the opening was given up is let go of, too: its guest would kill it with the stream", async () => {
  const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const end = Promise.withResolvers<string>();
  await serveStreams(async (connection) => {
    asked.resolve();
    await answer.promise;
    end.resolve(await serveProcessStream(connection, endless()));
  });
  const ports = portsWith(async () => ticket);
  await detached(ports, ["web"]);
  const limit = new AbortController();
  const opening = Sandbox.open("late", { signal: limit.signal }, ports);
  opening.catch(() => undefined);
  await asked.promise;
  limit.abort(new Error("enough"));
  await expect(opening).rejects.toThrow("enough");
  answer.resolve();
  expect(await end.promise).toBe("detached");
  for (const found of await Sandbox.list({}, ports)) await found.remove();
});

it("a status that an opening had got which failed is there for the next one: the guest has forgotten it", async () => {
  const got = Promise.withResolvers<void>();
  let isForgotten = false;
  await serveStreams(async (connection) => {
    const over = {
      ...endless(),
      read: () => Promise.resolve(undefined),
      exited: Promise.resolve(7),
      forget: () => {
        isForgotten = true;
      },
    };
    connection.once("close", got.resolve);
    await serveProcessStream(connection, over);
  });
  const ports = portsWith(async ({ container_id }) => {
    if (isForgotten && container_id === "over") throw new AgentRpcError(RpcStatus.NotFound, "no such process");
    if (container_id === "over") return ticket;
    await got.promise;
    throw new Error("not now");
  });
  await detached(ports, ["over", "silent"]);
  await expect(Sandbox.open("late", {}, ports)).rejects.toMatchObject({
    code: "KATA_AGENT",
    message: "could not open the streams of container silent: not now",
    hint: expect.stringContaining("it is detached still") as string,
  });
  expect(isForgotten).toBe(true);
  const [vm] = await ports.hypervisor.found();
  expect(vm?.detached).toContain('"isStreamed":true,"exitCode":7');
  for (const found of await Sandbox.list({}, ports)) await found.remove();
});
