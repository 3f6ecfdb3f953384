import { once } from "node:events";
import { Duplex } from "node:stream";
import { fuzz, mutatedBytes, throwsOnly } from "@kata-ts/fuzzing";
import fc from "fast-check";
import { describe, expect } from "vitest";
import { ClientConnection } from "./http2/client-connection.ts";
import { encodeFrame as encodeHttp2 } from "./http2/frame.ts";
import { HpackDecoder } from "./http2/hpack/decoder.ts";
import { HpackEncoder } from "./http2/hpack/encoder.ts";
import { Http2Error, FrameType as Http2Type, PREFACE } from "./http2/protocol.ts";
import { encodeHeader as encodeProcessHeader, StreamFrameReader } from "./process-stream/frame.ts";
import type { RpcName } from "./rpc/contract.ts";
import { AgentRpcError } from "./rpc/errors.ts";
import { MemoryBudget } from "./rpc/grpc/memory-budget.ts";
import { grpcMessage } from "./rpc/grpc/message.ts";
import { PlacedCall } from "./rpc/grpc/placed-call.ts";
import { UnaryServer } from "./rpc/grpc/unary-server.ts";
import { rpcs } from "./rpc/table.ts";
import { encodeFrame, MessageType } from "./rpc/ttrpc/frame.ts";
import { NotTtrpc, TtrpcConnection } from "./rpc/ttrpc/ttrpc-connection.ts";
import { encodeHeader, FrameType } from "./yamux/frame.ts";
import { YamuxFrameReader } from "./yamux/frame-reader.ts";

/** A byte stream as it arrives: in pieces. */
function inPieces(examples: readonly Uint8Array[]): fc.Arbitrary<readonly [Buffer, number]> {
  return fc.tuple(mutatedBytes(examples), fc.integer({ min: 1, max: 64 }));
}

function feed([bytes, size]: readonly [Buffer, number], push: (chunk: Buffer) => void): void {
  for (let at = 0; at < bytes.length; at += size) push(bytes.subarray(at, at + size));
}

/** Takes what is written, and has what a test pushes. */
function deafDuplex(): Duplex {
  return new Duplex({
    read: () => undefined,
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
}

/** A call's error that comes of what the peer did, and of no mistake of the reader's. */
function expectOwnError(error: unknown): void {
  expect(error).toBeInstanceOf(AgentRpcError);
  const { cause } = error as AgentRpcError;
  if (cause !== undefined) expect(cause).toBeInstanceOf(Http2Error);
}

describe("fuzz", () => {
  const yamux = Buffer.concat([
    encodeHeader({ type: FrameType.Data, flags: 1, streamId: 1, length: 5 }),
    Buffer.from("hello"),
    encodeHeader({ type: FrameType.WindowUpdate, flags: 2, streamId: 1, length: 262144 }),
    encodeHeader({ type: FrameType.Ping, flags: 1, streamId: 0, length: 7 }),
    encodeHeader({ type: FrameType.GoAway, flags: 0, streamId: 0, length: 0 }),
  ]);
  fuzz("yamux", inPieces([yamux]), (input) => {
    let handed = 0;
    const reader = new YamuxFrameReader({
      header: () => undefined,
      body: (_, piece) => {
        handed += piece.length;
      },
    });
    throwsOnly(["KATA_YAMUX_PROTOCOL"], () => {
      feed(input, (chunk) => {
        reader.push(chunk);
      });
    });
    expect(handed).toBeLessThanOrEqual(input[0].length);
  });

  const stream = Buffer.concat([
    encodeProcessHeader(0x40, 0),
    encodeProcessHeader(0x01, 5),
    Buffer.from("hello"),
    encodeProcessHeader(0x01, 0),
    encodeProcessHeader(0x10, 4),
    Buffer.from([0, 1, 0, 0]),
    encodeProcessHeader(0x41, 4),
    Buffer.from([0, 0, 0, 1]),
  ]);
  fuzz("process-stream", inPieces([stream]), (input) => {
    let handed = 0;
    const reader = new StreamFrameReader({
      data: (_, piece) => {
        handed += piece.length;
      },
      end: () => undefined,
      control: (_, body) => {
        handed += body.length;
      },
    });
    throwsOnly(["KATA_PROCESS_STREAM"], () => {
      feed(input, (chunk) => {
        reader.push(chunk);
      });
    });
    expect(handed).toBeLessThanOrEqual(input[0].length);
  });

  const replies12 = [1, 3].map((id) => encodeFrame(id, MessageType.Response, Buffer.from("120568656c6c6f", "hex")));
  const refusal = encodeFrame(1, MessageType.Response, Buffer.from("0a0708051203626164", "hex"));
  fuzz("ttrpc", inPieces([Buffer.concat(replies12), refusal]), async (input) => {
    const guest = deafDuplex();
    const connection = new TtrpcConnection(guest);
    const call = {
      path: "/a/b",
      request: Buffer.alloc(0),
      expiresAt: undefined,
      signal: undefined,
      waitForReady: false,
    };
    const answers = Promise.allSettled([connection.call(call), connection.call(call)]);
    feed(input, (chunk) => guest.push(chunk));
    guest.push(null);
    for (const answer of await answers) {
      if (answer.status === "fulfilled") expect(answer.value.length).toBeLessThanOrEqual(input[0].length);
      else expect(answer.reason instanceof AgentRpcError || answer.reason instanceof NotTtrpc).toBe(true);
    }
  });

  // RFC 7541, C.4.3 and C.6.3, after the blocks that fill the table.
  const blocks = [
    "828684418cf1e3c2e5f23a6ba0ab90f4ff828684be5886a8eb10649cbf828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    "3fe101488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
  ].map((hex) => Buffer.from(hex, "hex"));
  fuzz("hpack", mutatedBytes(blocks), (block) => {
    throwsOnly(["KATA_HTTP2"], () => {
      const fields = new HpackDecoder(4096).decode(block);
      expect(fields.flat().join("").length).toBeLessThanOrEqual(4096);
    });
  });

  const encoder = new HpackEncoder();
  const answer = [
    encodeHttp2(Http2Type.Settings, 0, 0, Buffer.from("000500004000", "hex")),
    encodeHttp2(Http2Type.Settings, 1, 0),
    encodeHttp2(Http2Type.WindowUpdate, 0, 0, Buffer.from("00010000", "hex")),
    encodeHttp2(Http2Type.Ping, 0, 0, Buffer.alloc(8)),
    encodeHttp2(Http2Type.Headers, 4, 1, encoder.encode([[":status", "200"]])),
    encodeHttp2(Http2Type.Data, 8, 1, Buffer.concat([Buffer.of(1), grpcMessage(Buffer.from("hello")), Buffer.of(0)])),
    encodeHttp2(Http2Type.Headers, 5, 1, encoder.encode([["grpc-status", "0"]])),
    encodeHttp2(Http2Type.Headers, 1, 3, encoder.encode([[":status", "200"]])),
    encodeHttp2(Http2Type.Continuation, 4, 3, encoder.encode([["grpc-status", "5"]])),
    encodeHttp2(Http2Type.RstStream, 0, 3, Buffer.from("00000008", "hex")),
    encodeHttp2(Http2Type.GoAway, 0, 0, Buffer.alloc(8)),
  ];
  fuzz("http2-answers", inPieces([Buffer.concat(answer)]), async (input) => {
    const guest = deafDuplex();
    const connection = new ClientConnection(guest, {
      window: 16_384,
      onGoAway: () => undefined,
      onEnd: () => undefined,
    });
    const calls = [1, 3].map(() => {
      const call = new PlacedCall("/a/b", new MemoryBudget(4 * 1024 * 1024 + 5));
      call.begin(connection.open([], call));
      return call.reply;
    });
    const answers = Promise.allSettled(calls);
    feed(input, (chunk) => guest.push(chunk));
    guest.push(null);
    for (const answer of await answers) {
      if (answer.status === "fulfilled") expect(answer.value.length).toBeLessThanOrEqual(input[0].length);
      else expectOwnError(answer.reason);
    }
  });

  const call = [
    PREFACE,
    encodeHttp2(Http2Type.Settings, 0, 0),
    encodeHttp2(
      Http2Type.Headers,
      4,
      1,
      encoder.encode([
        [":method", "POST"],
        [":path", "/a/b"],
        ["content-type", "application/grpc"],
        ["grpc-timeout", "1S"],
      ]),
    ),
    encodeHttp2(Http2Type.Data, 1, 1, grpcMessage(Buffer.from("hello"))),
    encodeHttp2(Http2Type.RstStream, 0, 1, Buffer.from("00000008", "hex")),
  ];
  fuzz("http2-calls", inPieces([Buffer.concat(call)]), async (input) => {
    const host = deafDuplex();
    const server = new UnaryServer(async (path, request) => {
      expect(path.length + request.length).toBeLessThanOrEqual(input[0].length);
      return request;
    });
    server.serve(host);
    feed(input, (chunk) => host.push(chunk));
    host.push(null);
    await once(host, "close");
  });

  const names = Object.keys(rpcs) as RpcName[];
  const replies = names.map((name): { decode(bytes: Uint8Array): object } => rpcs[name].response);
  const wire = Buffer.from("0a0568656c6c6f1a040a0262791205080110ff01", "hex");
  fuzz("grpc-replies", fc.tuple(fc.constantFrom(...replies), mutatedBytes([wire])), ([response, bytes]) => {
    let message: object;
    try {
      message = response.decode(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(Error); // The channel makes INTERNAL of it.
      return;
    }
    // What was decoded is no larger than what was sent.
    expect(JSON.stringify(message).length).toBeLessThan(64 * (bytes.length + 64));
  });
});
