import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type AgentClient,
  type AgentHandlers,
  AgentRpcError,
  connectAgent,
  createAgentServer,
  endOfStream,
  isEndOfStream,
  RpcStatus,
} from "../src/index.ts";
import { answerBy } from "../src/rpc/server.ts";
import { GrpcServer } from "./grpc/grpc-server.ts";

interface Server {
  serve(socket: Socket): void;
  close(): void;
}

/** What a client of ours meets: an agent of ours, and one that knows nothing but gRPC, as every 1.x agent. */
const AGENTS: readonly [string, (handlers: AgentHandlers) => Server][] = [
  ["ttrpc", createAgentServer],
  ["gRPC", (handlers) => new GrpcServer(answerBy(handlers))],
];

describe.each(AGENTS)("client and server of the contract, by %s", (_, createServerOf) => {
  let directory = "";
  let cleanUp: (() => void)[] = [];

  async function serve(handlers: AgentHandlers): Promise<AgentClient> {
    const path = join(directory, `${String(Math.random()).slice(2)}.sock`);
    const agent = createServerOf(handlers);
    const listener = createServer((socket) => {
      agent.serve(socket);
    });
    await new Promise<void>((resolve) => listener.listen(path, resolve));
    const client = connectAgent(`unix://${path}`);
    cleanUp.push(() => {
      client.close();
      agent.close();
      listener.close();
    });
    return client;
  }

  beforeEach(() => {
    cleanUp = [];
    directory = mkdtempSync(join(tmpdir(), "agent-protocol-"));
  });

  afterEach(() => {
    for (const undo of cleanUp) undo();
    rmSync(directory, { recursive: true, force: true });
  });

  it("carries a request and its reply", async () => {
    const client = await serve({ waitProcess: async ({ exec_id }) => ({ status: exec_id.length }) });
    expect(await client.waitProcess({ container_id: "c", exec_id: "four" })).toMatchObject({ status: 4 });
  });

  it("answers UNIMPLEMENTED by name for what it does not serve", async () => {
    const client = await serve({});
    const error = await client.listRoutes({}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      status: RpcStatus.Unimplemented,
      message: expect.stringContaining("/grpc.AgentService/ListRoutes") as string,
    });
  });

  it("carries a handler's status and message", async () => {
    const client = await serve({
      startContainer: async () => {
        throw new AgentRpcError(RpcStatus.NotFound, "Container x not found");
      },
    });
    await expect(client.startContainer({ container_id: "x" })).rejects.toMatchObject({
      status: RpcStatus.NotFound,
      message: "Container x not found",
      rpc: "/grpc.AgentService/StartContainer",
    });
  });

  it("knows both spellings of the end of a stream", async () => {
    const client = await serve({
      readStdout: async () => {
        throw endOfStream();
      },
      readStderr: async () => {
        throw new AgentRpcError(RpcStatus.Unknown, "EOF");
      },
    });
    expect(isEndOfStream(await client.readStdout({}).catch((error: unknown) => error))).toBe(true);
    expect(isEndOfStream(await client.readStderr({}).catch((error: unknown) => error))).toBe(true);
    expect(isEndOfStream(new AgentRpcError(RpcStatus.Internal, "EOF"))).toBe(false);
  });

  it("ends a call at its deadline, and aborts the handler", async () => {
    const aborted = Promise.withResolvers<boolean>();
    const client = await serve({
      check: (_request, { signal }) =>
        new Promise(() => {
          signal.addEventListener("abort", () => {
            aborted.resolve(true);
          });
        }),
    });
    await expect(client.check({}, { deadlineMs: 100 })).rejects.toMatchObject({ status: RpcStatus.DeadlineExceeded });
    expect(await aborted.promise).toBe(true);
  });

  it("ends a call when its caller aborts, and aborts the handler of one that may wait for ever", async () => {
    const aborted = Promise.withResolvers<undefined>();
    const called = Promise.withResolvers<undefined>();
    const client = await serve({
      waitProcess: (_request, { signal }) => {
        called.resolve(undefined);
        signal.addEventListener("abort", () => {
          aborted.resolve(undefined);
        });
        return new Promise(() => undefined);
      },
    });
    const abort = new AbortController();
    const call = client.waitProcess({}, { signal: abort.signal });
    await called.promise;
    abort.abort();
    await expect(call).rejects.toMatchObject({ status: RpcStatus.Cancelled });
    await aborted.promise;
    await expect(client.waitProcess({}, { signal: abort.signal })).rejects.toMatchObject({
      status: RpcStatus.Cancelled,
    });
  });

  it("refuses a reply above its limit instead of holding it in memory", async () => {
    const client = await serve({ readStdout: async () => ({ data: Buffer.alloc(5 * 1024 * 1024) }) });
    await expect(client.readStdout({})).rejects.toMatchObject({ status: RpcStatus.ResourceExhausted });
  });

  it("refuses a reply that would become many objects before it makes them", async () => {
    // Two bytes on the wire for each.
    const blkio_stats = { io_queued_recursive: Array.from({ length: 300_000 }, () => ({})) };
    const client = await serve({
      statsContainer: async () => ({ cgroup_stats: { blkio_stats } }),
      listProcesses: async () => ({ process_list: Buffer.alloc(3_000_000, " ") }),
    });
    await expect(client.statsContainer({ container_id: "c" })).rejects.toMatchObject({
      status: RpcStatus.ResourceExhausted,
      message: expect.stringContaining("600008 bytes, and the limit is 524288") as string,
    });
    // One run of bytes costs no more than these.
    expect((await client.listProcesses({ container_id: "c" })).process_list).toHaveLength(3_000_000);
  });

  it("carries many calls at once, each with its own answer", async () => {
    const client = await serve({
      waitProcess: async ({ exec_id }) => ({ status: Number(exec_id) }),
      readStdout: async ({ len }) => ({ data: Buffer.alloc(len) }),
    });
    const calls = Array.from({ length: 100 }, (_, call) => call);
    const statuses = calls.map((call) => client.waitProcess({ exec_id: String(call) }).then(({ status }) => status));
    const sizes = calls.map((call) => client.readStdout({ len: call * 1000 }).then(({ data }) => data.length));
    expect(await Promise.all(statuses)).toEqual(calls);
    expect(await Promise.all(sizes)).toEqual(calls.map((call) => call * 1000));
  });

  it("ends its calls when it is closed", async () => {
    const called = Promise.withResolvers<undefined>();
    const client = await serve({
      check: () => {
        called.resolve(undefined);
        return new Promise(() => undefined);
      },
    });
    const call = client.check({});
    await called.promise;
    client.close();
    await expect(call).rejects.toMatchObject({ status: RpcStatus.Cancelled });
  });

  it("fails at once without a listener", async () => {
    using client = connectAgent(`unix://${join(directory, "no-listener.sock")}`);
    await expect(client.check({})).rejects.toMatchObject({ status: RpcStatus.Unavailable });
  });

  it("waits for a channel that is not there yet, up to the deadline", async () => {
    const path = join(directory, "late.sock");
    using client = connectAgent(`unix://${path}`);
    const limits = { waitForReady: true, deadlineMs: 100 };
    await expect(client.check({}, limits)).rejects.toMatchObject({ status: RpcStatus.DeadlineExceeded });
    const answer = client.version({}, { waitForReady: true });
    const agent = createServerOf({ version: async () => ({ agent_version: "late" }) });
    const listener = createServer((socket) => {
      agent.serve(socket);
    }).listen(path);
    cleanUp.push(() => {
      agent.close();
      listener.close();
    });
    expect(await answer).toMatchObject({ agent_version: "late" });
  });
});
