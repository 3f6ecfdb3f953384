import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import { KataError } from "../errors.ts";
import { Process } from "./process.ts";
import type { ProcessResult } from "./process-result.ts";
import { waitUntilReady } from "./wait-for.ts";

const RUNS = { ended: new Promise<never>(() => undefined) };

/** As a sandbox connects; its ports are this machine's. */
async function connectHere(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  return socket;
}

async function listening(server: Server, port = 0): Promise<number> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** A process that has these outputs. */
function processOf(stdout: PassThrough, stderr: PassThrough): Process {
  const guest = { stdin: new PassThrough(), stdout, stderr };
  return new Process(guest as unknown as ConstructorParameters<typeof Process>[0]);
}

describe("a program in a sandbox", () => {
  it("is ready when it listens", async () => {
    const server = createServer((socket) => socket.destroy());
    const port = await listening(server);
    server.close();
    await once(server, "close");
    const ready = waitUntilReady({ port, timeoutMs: 30_000 }, connectHere, RUNS);
    await listening(server, port);
    await ready;
    server.close();
  });

  it("is ready when it answers as it should", async () => {
    let status = 503;
    const paths: (string | undefined)[] = [];
    const server = createHttpServer((request, response) => {
      paths.push(request.url);
      response.writeHead(status).end();
      status = 204;
    });
    const port = await listening(server);
    await waitUntilReady({ http: { port, path: "/health" }, timeoutMs: 30_000 }, connectHere, RUNS);
    expect(paths).toEqual(["/health", "/health"]);
    status = 503;
    const never = waitUntilReady({ http: { port, status: 200 }, timeoutMs: 300 }, connectHere, RUNS);
    await expect(never).rejects.toMatchObject({
      code: "KATA_STATE",
      message: `http://sandbox:${String(port)}/ is not ready after 300 ms`,
    });
    server.close();
  });

  it("is not ready when it answers with another protocol", async () => {
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n");
    });
    const port = await listening(server);
    const never = waitUntilReady({ http: { port }, timeoutMs: 300 }, connectHere, RUNS);
    await expect(never).rejects.toMatchObject({ code: "KATA_STATE" });
    server.close();
  });

  it("is ready when it has written what is expected, in whatever parts", async () => {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const ready = waitUntilReady(
      { log: { process: processOf(stdout, stderr), text: /listening on \d+/ } },
      connectHere,
      RUNS,
    );
    stdout.write("nothing yet\n");
    stderr.write("list");
    stderr.write("ening on 80");
    await ready;
    expect(stdout.listenerCount("data") + stderr.listenerCount("data")).toBe(0);
    const outputs = [new PassThrough(), new PassThrough()] as const;
    const lost = waitUntilReady({ log: { process: processOf(...outputs), text: "ready" } }, connectHere, RUNS);
    for (const output of outputs) output.destroy();
    await expect(lost).rejects.toThrow("the process has ended without writing ready");
    const over = waitUntilReady({ log: { process: processOf(...outputs), text: "ready" } }, connectHere, RUNS);
    await expect(over).rejects.toThrow("the process has ended without writing ready");
  });

  it("is not waited for any more when the sandbox ends, the caller gives up, or it can never be", async () => {
    const refuse = async (): Promise<Socket> => {
      throw new Error("ECONNREFUSED");
    };
    const ended = waitUntilReady({ port: 80 }, refuse, { ended: Promise.resolve() });
    await expect(ended).rejects.toMatchObject({ code: "KATA_VM_GONE" });
    const reason = new Error("given up");
    const givenUp = waitUntilReady({ port: 80, signal: AbortSignal.abort(reason) }, refuse, RUNS);
    await expect(givenUp).rejects.toBe(reason);
    const process = processOf(new PassThrough(), new PassThrough());
    const read = waitUntilReady({ log: { process, text: "ready" }, signal: AbortSignal.abort(reason) }, refuse, RUNS);
    await expect(read).rejects.toBe(reason);
    const never = async (): Promise<Socket> => {
      throw new KataError("KATA_UNSUPPORTED", "no network");
    };
    await expect(waitUntilReady({ port: 80 }, never, RUNS)).rejects.toMatchObject({ code: "KATA_UNSUPPORTED" });
  });

  it("is ready when its healthcheck ends with 0", async () => {
    const asked: (readonly string[])[] = [];
    const failed = {
      exitCode: 7,
      signal: undefined,
      reason: "exited",
      stdout: "",
      stderr: "not yet\n",
      truncated: false,
    } as const;
    const answers: ProcessResult[] = [failed, { ...failed, exitCode: 0 }];
    const container = {
      run: async ({ args }: { readonly args: readonly string[] }) => {
        asked.push(args);
        return answers.shift() ?? failed;
      },
    };
    const healthcheck = { container, args: ["pg_isready"], intervalMs: 1 };
    await waitUntilReady({ healthcheck, timeoutMs: 30_000 }, connectHere, RUNS);
    expect(asked).toEqual([["pg_isready"], ["pg_isready"]]);
    const never = waitUntilReady({ healthcheck, timeoutMs: 50 }, connectHere, RUNS);
    await expect(never).rejects.toMatchObject({
      code: "KATA_STATE",
      message: 'a container whose healthcheck is ["pg_isready"] is not ready after 50 ms',
      cause: { message: "its healthcheck exits with 7: not yet" },
    });
    const wrong = { run: () => Promise.reject(new KataError("KATA_CONFIG", "run.args names no program")) };
    const refused = waitUntilReady({ healthcheck: { container: wrong, args: [] } }, connectHere, RUNS);
    await expect(refused).rejects.toMatchObject({ code: "KATA_CONFIG" });
  });
});
