import { Duplex } from "node:stream";
import { fuzz, mutatedBytes, throwsOnly } from "@kata-ts/fuzzing";
import fc from "fast-check";
import { describe, expect } from "vitest";
import { encodeHeader as encodeProcessHeader, FrameReader as ProcessFrameReader } from "./process-stream/frame.ts";
import type { RpcName } from "./rpc/contract.ts";
import { AgentRpcError } from "./rpc/errors.ts";
import { rpcs } from "./rpc/table.ts";
import { encodeFrame, MessageType } from "./rpc/ttrpc/frame.ts";
import { NotTtrpc, TtrpcConnection } from "./rpc/ttrpc/ttrpc-connection.ts";
import { encodeHeader, FrameType } from "./yamux/frame.ts";
import { FrameReader } from "./yamux/frame-reader.ts";

/** A byte stream as it arrives: in pieces. */
function inPieces(examples: readonly Uint8Array[]): fc.Arbitrary<readonly [Buffer, number]> {
  return fc.tuple(mutatedBytes(examples), fc.integer({ min: 1, max: 64 }));
}

function feed([bytes, size]: readonly [Buffer, number], push: (chunk: Buffer) => void): void {
  for (let at = 0; at < bytes.length; at += size) push(bytes.subarray(at, at + size));
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
    const reader = new FrameReader({
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
    const reader = new ProcessFrameReader({
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
    const guest = new Duplex({
      read: () => undefined,
      write: (_chunk, _encoding, done) => {
        done();
      },
    });
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
