import { duplexPair } from "node:stream";
import { describe, expect, it } from "vitest";
import { ClientConnection } from "../../src/http2/client-connection.ts";
import { RpcStatus } from "../../src/rpc/errors.ts";
import { MemoryBudget } from "../../src/rpc/grpc/memory-budget.ts";
import { PlacedCall } from "../../src/rpc/grpc/placed-call.ts";
import { UnaryServer } from "../../src/rpc/grpc/unary-server.ts";
import { decodeYamux, grpcMessages, recordedChunks } from "../recording.ts";

/** What grpc-go 1.11 of the original's runtime and shim sent, and what its agent answered, by connection. */
const host = decodeYamux(recordedChunks("host->guest")).streams;
const guest = decodeYamux(recordedChunks("guest->host")).streams;

describe("the recorded bytes of the original", () => {
  it("are calls to our server, which reads them as they are", async () => {
    const requests: Map<string, Buffer[]> = new Map();
    const expected = [...host.values()].flatMap((bytes) => [...grpcMessages(bytes).values()].flat());
    const all = Promise.withResolvers<void>();
    let calls = 0;
    const server = new UnaryServer(async (path, request) => {
      requests.set(path, [...(requests.get(path) ?? []), Buffer.from(request)]);
      calls += 1;
      if (calls === expected.length) all.resolve();
      return new Uint8Array();
    });
    for (const bytes of host.values()) {
      const [near, far] = duplexPair();
      server.serve(near);
      far.resume();
      far.write(bytes);
    }
    await all.promise;
    server.close();
    const counts: Record<string, number> = Object.fromEntries(
      [...requests].map(([path, bodies]) => [path.replace(/.*\//, ""), bodies.length]),
    );
    expect(counts).toMatchObject({ Check: 1, CreateSandbox: 1, CreateContainer: 1, StartContainer: 1, WaitProcess: 5 });
    expect([...requests.values()].flat().map(hex).sort()).toEqual(expected.map(hex).sort());
  });

  it("are answers to our client", async () => {
    let answers = 0;
    for (const [id, bytes] of host) {
      const replies = grpcMessages(guest.get(id) ?? Buffer.alloc(0));
      const [near, far] = duplexPair();
      far.resume();
      const client = new ClientConnection(near, { window: 65_535, onGoAway: () => undefined, onEnd: () => undefined });
      const calls = [...grpcMessages(bytes).keys()].map((streamId) => {
        const call = new PlacedCall("/a/b", new MemoryBudget(0));
        const stream = client.open([], call);
        call.begin(stream);
        stream.sendBody(Buffer.alloc(0));
        expect(stream.id).toBe(streamId);
        return { streamId, reply: call.reply };
      });
      const settled = Promise.allSettled(calls.map(({ reply }) => reply));
      far.write(guest.get(id) ?? Buffer.alloc(0));
      far.end();
      for (const [index, answer] of (await settled).entries()) {
        const [message] = replies.get(calls[index]?.streamId ?? 0) ?? [];
        if (answer.status === "fulfilled") expect(hex(answer.value)).toBe(hex(message ?? Buffer.from("none")));
        // The ends of outputs, a process that is gone, and calls that the recording ends before.
        else
          expect(answer.reason).toMatchObject({
            status: expect.toBeOneOf([
              RpcStatus.Unknown,
              RpcStatus.OutOfRange,
              RpcStatus.NotFound,
              RpcStatus.Unavailable,
            ]) as number,
          });
        if (answer.status === "fulfilled") answers += 1;
      }
    }
    const expected = [...guest.values()].flatMap((bytes) => [...grpcMessages(bytes).values()].flat());
    expect(answers).toBe(expected.length);
  });
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}
