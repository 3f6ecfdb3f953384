import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Answer, RpcError, RpcStatus, serveTtrpc, TtrpcCaller, unixSocket } from "../src/ttrpc.ts";

describe("ttrpc of another service than the agent's", () => {
  it("carries bytes to it and back, and its refusals", async () => {
    await using service = await serve(async (path, request) => {
      if (path !== "/example.v1.Echo/Echo") throw new RpcError(RpcStatus.AlreadyExists, `${path} is taken`);
      return Promise.resolve(request);
    });
    using caller = service.caller();
    expect(Buffer.from(await caller.call("/example.v1.Echo/Echo", "hello")).toString()).toBe("hello");
    await expect(caller.call("/example.v1.Echo/Other", "")).rejects.toMatchObject({
      status: RpcStatus.AlreadyExists,
      message: "/example.v1.Echo/Other is taken",
    });
  });
});

async function serve(
  answer: Answer,
): Promise<AsyncDisposable & { caller(): Disposable & { call(path: string, text: string): Promise<Uint8Array> } }> {
  const socket = join(tmpdir(), `ttrpc-${String(process.pid)}.sock`);
  const server = createServer((connection) => {
    serveTtrpc(connection, answer);
  }).listen(socket);
  await once(server, "listening");
  return {
    caller: () => {
      const caller = new TtrpcCaller(unixSocket(`unix://${socket}`));
      return {
        call: (path, text) => {
          const expiresAt = performance.now() + 10_000;
          return caller.call({ path, request: Buffer.from(text), expiresAt, signal: undefined, waitForReady: false });
        },
        [Symbol.dispose]: () => {
          caller.close();
        },
      };
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      await once(server, "close");
      rmSync(socket, { force: true });
    },
  };
}
