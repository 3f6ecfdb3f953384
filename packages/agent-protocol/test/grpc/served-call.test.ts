import { describe, expect, it } from "vitest";
import { HpackDecoder } from "../../src/http2/hpack/decoder.ts";
import type { Field } from "../../src/http2/hpack/static-table.ts";
import { Flag, FrameType } from "../../src/http2/protocol.ts";
import { AgentRpcError, RpcStatus } from "../../src/rpc/errors.ts";
import { grpcMessage } from "../../src/rpc/grpc/message.ts";
import { UnaryServer } from "../../src/rpc/grpc/unary-server.ts";
import type { Answer } from "../../src/rpc/ttrpc/ttrpc-server.ts";
import { BEGINNING, data, frame, headers, number, RawPeer } from "../http2/raw-peer.ts";

const { EndHeaders, EndStream } = Flag;
const EMPTY = grpcMessage(Buffer.alloc(0));

function request(...more: readonly Field[]): Field[] {
  return [[":method", "POST"], [":path", "/a/b"], ["content-type", "application/grpc"], ...more];
}

/** What the server answers to these frames, by headers alone. */
async function refusal(answer: Answer, ...frames: readonly Buffer[]): Promise<Record<string, string>> {
  const peer = new RawPeer(false);
  const server = new UnaryServer(answer);
  server.serve(peer.near);
  peer.send(BEGINNING, ...frames);
  const { body } = await peer.frame(FrameType.Headers, EndHeaders | EndStream);
  server.close();
  return Object.fromEntries(new HpackDecoder(65_536).decode(body));
}

const echo: Answer = async (_path, bytes) => bytes;

describe("a server of unary calls refuses", () => {
  it.each([
    ["another method than POST", "405", headers(1, [[":method", "GET"]])],
    ["another content type", "415", headers(1, [...request().slice(0, 2), ["content-type", "text/html"]])],
  ])("%s, by HTTP's status", async (_, status, frames) => {
    expect(await refusal(echo, frames)).toEqual({ ":status": status });
  });

  it.each([
    [
      "a timeout that is none",
      RpcStatus.Internal,
      "malformed grpc-timeout",
      [headers(1, request(["grpc-timeout", "soon"]))],
    ],
    [
      "a request without a message",
      RpcStatus.Internal,
      "no whole message",
      [headers(1, request(), EndHeaders | EndStream)],
    ],
    [
      "a message that is not whole",
      RpcStatus.Internal,
      "no whole message",
      [headers(1, request()), data(1, EMPTY.subarray(0, 4), EndStream)],
    ],
    [
      "two messages",
      RpcStatus.Internal,
      "more than one message",
      [headers(1, request()), data(1, Buffer.concat([EMPTY, EMPTY]), EndStream)],
    ],
    [
      "a compressed message",
      RpcStatus.Internal,
      "compressed",
      [headers(1, request()), data(1, Buffer.from([1, 0, 0, 0, 0]))],
    ],
    [
      "a message above the limit, before it comes",
      RpcStatus.ResourceExhausted,
      "larger than max",
      [headers(1, request()), data(1, Buffer.from([0, 0xff, 0xff, 0xff, 0xff]))],
    ],
  ])("%s, by gRPC's status", async (_, status, words, frames) => {
    expect(await refusal(echo, ...frames)).toMatchObject({
      ":status": "200",
      "grpc-status": String(status),
      "grpc-message": expect.stringContaining(words) as string,
    });
  });

  it("what its handler refuses, with words that fit in a frame", async () => {
    const answer: Answer = async () => {
      throw new AgentRpcError(RpcStatus.NotFound, "x".repeat(100_000));
    };
    const call = [headers(1, request()), data(1, EMPTY, EndStream)];
    const fields = await refusal(answer, ...call);
    expect(fields["grpc-status"]).toBe(String(RpcStatus.NotFound));
    expect(fields["grpc-message"]).toMatch(/^x{8192}$/);
  });

  it("a reply above the limit", async () => {
    const call = [headers(1, request()), data(1, EMPTY, EndStream)];
    const fields = await refusal(async () => Buffer.alloc(4 * 1024 * 1024 + 1), ...call);
    expect(fields["grpc-status"]).toBe(String(RpcStatus.ResourceExhausted));
  });
});

describe("a server of unary calls", () => {
  it.each(["99999999H", "2147484S"])("does not take the long timeout %s for a short one", async (text) => {
    const peer = new RawPeer(false);
    const server = new UnaryServer(echo);
    server.serve(peer.near);
    const timeout: Field = ["grpc-timeout", text];
    peer.send(BEGINNING, headers(1, request(timeout)));
    peer.send(frame(FrameType.Ping, 0, 0, Buffer.alloc(8)));
    await peer.frame(FrameType.Ping, Flag.Ack);
    // A timer that overflows is due in a millisecond: before this one.
    await new Promise((resolve) => setTimeout(resolve, 20));
    peer.send(data(1, grpcMessage(Buffer.from("in time")), EndStream));
    expect((await peer.body(1)).subarray(5).toString()).toBe("in time");
    server.close();
  });

  it("runs no more handlers than it may, whatever the client resets", async () => {
    const peer = new RawPeer(false);
    const aborted: AbortSignal[] = [];
    const server = new UnaryServer((_path, _request, signal) => {
      aborted.push(signal);
      return new Promise(() => undefined); // A handler that does not heed its signal.
    });
    server.serve(peer.near);
    const calls = Array.from({ length: 1100 }, (_, turn) => {
      const id = 2 * turn + 1;
      const reset = turn % 2 === 0 ? [frame(FrameType.RstStream, 0, id, number(8))] : [];
      return [headers(id, request()), data(id, EMPTY, EndStream), ...reset];
    });
    peer.send(BEGINNING, ...calls.flat());
    const refused = await peer.frame(FrameType.RstStream);
    expect(refused).toMatchObject({ streamId: 2 * 1024 + 1, body: number(7) });
    expect(aborted).toHaveLength(1024);
    expect(aborted.filter((signal) => signal.aborted)).toHaveLength(512);
    server.close();
  });
});
