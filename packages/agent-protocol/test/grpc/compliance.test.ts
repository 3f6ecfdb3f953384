import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { agentRpcs } from "../../src/index.ts";
import { type Call, type Caller, MAX_REPLY_BYTES, MAX_REQUEST_BYTES } from "../../src/rpc/caller.ts";
import { AgentRpcError, RpcStatus } from "../../src/rpc/errors.ts";
import type { Answer } from "../../src/rpc/ttrpc/ttrpc-server.ts";
import { PAIRS } from "./implementations.ts";
import { Wire } from "./wire.ts";

const CHECK = "/grpc.Health/Check";
const MIB = 1024 * 1024;
/** Megabytes go through six streams of one process. */
const TIMEOUT_MS = 30_000;

type Golden = Record<
  string,
  { readonly request: { readonly hex: string }; readonly response: { readonly hex: string } }
>;

const golden = JSON.parse(readFileSync(new URL("../vectors/golden.json", import.meta.url), "utf8")) as Golden;

/** A prime number of them: bytes that are lost, or come twice, move all that follow. */
const SOME_BYTES = Buffer.from(Array.from({ length: 1021 }, (_, index) => (index * 31) % 251));

/** Bytes in which a mistake of order or length shows. */
function pattern(bytes: number): Buffer {
  return Buffer.alloc(bytes, SOME_BYTES);
}

describe.each(PAIRS)("$server and $client, over $wire", { timeout: TIMEOUT_MS }, ({ serverOf, clientOf, carrier }) => {
  let answer: Answer;
  let server: ReturnType<typeof serverOf>;
  let caller: Caller;
  let wire: Wire;

  beforeEach(async () => {
    answer = async (_path, request) => request;
    server = serverOf((path, request, signal) => answer(path, request, signal));
    wire = await Wire.lay(carrier, (connection) => {
      connection.on("error", () => undefined);
      server.serve(connection);
    });
    caller = clientOf(wire.path);
  });
  afterEach(async () => {
    caller.close();
    server.close();
    await wire[Symbol.asyncDispose]();
  });

  function call(request: Uint8Array, options: Partial<Call> = {}): Promise<Uint8Array> {
    const expiresAt = performance.now() + 60_000;
    return caller.call({ path: CHECK, request, expiresAt, signal: undefined, waitForReady: false, ...options });
  }

  /** A call that is at work until its caller gives it up. */
  function unanswered(): { readonly called: Promise<void>; readonly aborted: Promise<void> } {
    const called = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    answer = (_path, _request, signal) =>
      new Promise((_resolve, reject) => {
        called.resolve();
        signal.addEventListener("abort", () => {
          aborted.resolve();
          reject(new AgentRpcError(RpcStatus.Cancelled, "given up"));
        });
      });
    return { called: called.promise, aborted: aborted.promise };
  }

  it("carry each call of the contract", async () => {
    const calls = (Object.keys(agentRpcs) as (keyof typeof agentRpcs)[]).map(
      (name) => [name, agentRpcs[name].path] as const,
    );
    const replies = new Map(calls.map(([name, path]) => [path, Buffer.from(golden[name]?.response.hex ?? "", "hex")]));
    const seen: Map<string, string> = new Map();
    answer = async (path, request) => {
      seen.set(path, Buffer.from(request).toString("hex"));
      return replies.get(path) ?? Buffer.alloc(0);
    };
    for (const [name, path] of calls) {
      const request = golden[name]?.request.hex ?? "";
      const reply = await call(Buffer.from(request, "hex"), { path });
      expect(Buffer.from(reply), name).toEqual(replies.get(path));
      expect(seen.get(path), name).toBe(request);
    }
    expect(seen.size).toBe(34);
    expect(wire.connections).toBe(1);
  });

  it("carry a refusal's status and words, whatever these are", async () => {
    const words = "Container „x“ not found: 100 %\n容器 🐙";
    answer = async () => {
      throw new AgentRpcError(RpcStatus.NotFound, words);
    };
    await expect(call(Buffer.alloc(0))).rejects.toMatchObject({ status: RpcStatus.NotFound, message: words });
  });

  it("answer UNIMPLEMENTED to a method that is not there", async () => {
    answer = async () => {
      throw new AgentRpcError(RpcStatus.Unimplemented, "not there");
    };
    const refused = call(Buffer.alloc(0), { path: "/grpc.AgentService/Nothing" });
    await expect(refused).rejects.toMatchObject({ status: RpcStatus.Unimplemented });
  });

  it("end a call at its deadline, on both sides", async () => {
    await call(Buffer.alloc(0)); // There is a connection now: the deadline is that of the answer.
    const { aborted } = unanswered();
    const late = call(Buffer.alloc(0), { expiresAt: performance.now() + 1000 });
    await expect(late).rejects.toMatchObject({ status: RpcStatus.DeadlineExceeded });
    await aborted;
  });

  it("end a call that its caller gives up, on both sides, and go on with others", async () => {
    const { called, aborted } = unanswered();
    const abort = new AbortController();
    const given = call(Buffer.alloc(0), { signal: abort.signal, expiresAt: undefined });
    await called;
    abort.abort();
    await expect(given).rejects.toMatchObject({ status: RpcStatus.Cancelled });
    await aborted;
    answer = async () => Buffer.from("next");
    expect(Buffer.from(await call(Buffer.alloc(0))).toString()).toBe("next");
    expect(wire.connections).toBe(1);
  });

  it("carry messages as large as may be, both ways", async () => {
    const message = pattern(MAX_REQUEST_BYTES);
    const reply = Buffer.from(await call(message));
    expect(reply.equals(message)).toBe(true);
  });

  it.each([16_384, 65_535])(
    "carry messages that fill a window of %i bytes, and one byte less or more",
    async (window) => {
      const sizes = [-6, -5, -4].map((rest) => window + rest); // Each has a prefix of five bytes.
      for (const size of sizes) expect((await call(pattern(size))).length).toBe(size);
    },
  );

  it("refuse a reply above the limit, and go on with others", async () => {
    answer = async (_path, request) => (request.length === 0 ? Buffer.alloc(MAX_REPLY_BYTES + 1) : request);
    await expect(call(Buffer.alloc(0))).rejects.toMatchObject({ status: RpcStatus.ResourceExhausted });
    expect(await call(Buffer.from("next"))).toHaveLength(4);
  });

  it("refuse a request above the limit, and go on with others", async () => {
    const refused = call(Buffer.alloc(MAX_REQUEST_BYTES + 1));
    await expect(refused).rejects.toMatchObject({ status: RpcStatus.ResourceExhausted });
    expect(await call(Buffer.from("next"))).toHaveLength(4);
  });

  it("carry many calls at once, answered in another order than called", async () => {
    const waiting: (() => void)[] = [];
    const all = Promise.withResolvers<void>();
    answer = async (_path, request) => {
      await new Promise<void>((resolve) => {
        waiting.unshift(resolve);
        if (waiting.length === 200) all.resolve();
      });
      return request;
    };
    const requests = Array.from({ length: 200 }, (_, index) => pattern(index * 97));
    const replies = requests.map((request) => call(request, { expiresAt: undefined }));
    await all.promise;
    for (const resolve of waiting) resolve();
    expect((await Promise.all(replies)).map((reply) => reply.length)).toEqual(requests.map(({ length }) => length));
  });

  it("wait for a reader that is slow, and lose nothing", async () => {
    const message = pattern(MIB / 2);
    let answered = 0;
    const all = Promise.withResolvers<void>();
    answer = async () => {
      answered += 1;
      if (answered === 20) all.resolve();
      return message;
    };
    await call(Buffer.alloc(0)); // There is a connection now.
    answered = 0;
    wire.hold();
    const replies = Array.from({ length: 20 }, () => call(Buffer.alloc(0)));
    await all.promise;
    wire.release();
    for (const reply of replies) expect(Buffer.from(await reply).equals(message)).toBe(true);
  });

  it("end calls with the connection, on both sides, and make another one", async () => {
    const { called, aborted } = unanswered();
    const lost = call(Buffer.alloc(0), { expiresAt: undefined });
    await called;
    wire.cut();
    await expect(lost).rejects.toMatchObject({ status: RpcStatus.Unavailable });
    await aborted;
    answer = async (_path, request) => request;
    expect(await call(Buffer.from("next"))).toHaveLength(4);
  });
});
